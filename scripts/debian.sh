# Functions for scripts that install Debian packages. The sourcing script defines step().

updated=no

# apt_install PACKAGE: install it if run as root; otherwise print the command to run and return 1
apt_install() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "${0##*/}: $1 is missing; please run: sudo apt-get install $1" >&2
        return 1
    fi
    step "installing the Debian package $1"
    if [ $updated = no ]; then
        apt-get update -qq </dev/null
        updated=yes
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" \
        </dev/null >/dev/null
}
