# State of the environment .venv. scripts/setup.sh sources this file in the root of the tree.

UNFINISHED=.venv/.weft-unfinished       # the process that sets .venv up; removed when it succeeds
STAMP=.venv/.weft-setup                 # its time is that of the last successful set-up
ASIDE=.venv.replaced                    # a usable .venv while another one is built in its place

# minor_version PYTHON: print its version, such as 3.11; fail if it does not run
minor_version() {
    "$1" -E -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# inspect_environment: set present to the version of .venv, and defect to the reason why it is
# unusable; both are empty without .venv, and defect is empty if .venv is usable
inspect_environment() {
    local command
    defect=
    present=
    [ -e .venv ] || return 0
    command=$(grep '^command = ' .venv/pyvenv.cfg 2>/dev/null) || command=
    if ! present=$(minor_version .venv/bin/python); then
        defect="its Python interpreter is missing or does not run"
    elif [ ! -d ".venv/lib/python$present" ]; then
        defect="its interpreter is now Python $present, and its packages are for another version"
    elif [ ! -d ".venv/lib/python$present/site-packages/pip" ]; then
        defect="it has no pip"
    elif [ -n "$command" ] && [[ $command != *" $(pwd -P)/.venv" ]]; then
        defect="it was created in another folder"
    elif [ -e $UNFINISHED ] && [ ! -e $STAMP ]; then
        defect="its set-up did not finish"
    fi
}

# up_to_date: succeed if nothing that the set-up depends on has changed since it succeeded
up_to_date() {
    local file
    [ -e $STAMP ] && [ ! -e $UNFINISHED ] || return 1
    for file in pyproject.toml constraints.txt scripts/setup.sh; do
        [ ! "$file" -nt $STAMP ] || return 1
    done
}

# other_setup: print the number of another process that sets .venv up now, or nothing
other_setup() {
    local process
    process=$(cat $UNFINISHED 2>/dev/null) || return 0
    case $(ps -o args= -p "${process:-0}" 2>/dev/null) in
    *setup.sh*) echo "$process" ;;
    esac
}

# restore_environment: put a .venv that was set aside back in its place, unless the new one succeeded
restore_environment() {
    [ -e $ASIDE ] || return 0
    if [ -e $STAMP ] && [ ! -e $UNFINISHED ]; then
        rm -rf $ASIDE
        return
    fi
    rm -rf .venv
    mv $ASIDE .venv
    echo "setup: the previous .venv is in its place again" >&2
}
