"""Group of verbs that suggests a verb for an unknown one."""

import click

from ..unknown_name import unknown_name

__all__ = ["VerbGroup"]


class VerbGroup(click.Group):
    """Group whose message about an unknown verb has the closest verb and the list of all."""

    def resolve_command(self, ctx: click.Context, args: list[str]
                        ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb of the arguments.

        Raises
        ------
        click.UsageError
            If there is no such verb.
        """
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.UsageError(unknown_name(f"No such command {name!r}", name,
                                                self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)
