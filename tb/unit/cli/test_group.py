"""Unknown verbs."""

import pytest


@pytest.mark.parametrize("arguments, usage, message", [
    (["compil"], "Usage: weft [OPTIONS]", "No such command 'compil'; did you mean 'compile'? There "
                                          "are verilog, info, check, "),
    (["zzz"], "Usage: weft [OPTIONS]", "No such command 'zzz'; there are verilog, info, check, "),
    (["RUN"], "Usage: weft [OPTIONS]", "No such command 'RUN'; did you mean 'run'?"),
    (["bench", "gem"], "Usage: weft bench [OPTIONS]",
     "No such command 'gem'; did you mean 'gemm'? There are dma, gemm, llm, models"),
    (["compile"], "Usage: weft compile [OPTIONS] MODEL", "Missing argument 'MODEL'"),
    (["info", "--prest", "tiny"], "Usage: weft info [OPTIONS]", "--preset"),
    (["--versio"], "Usage: weft [OPTIONS]", "--version"),
])
def test_a_wrong_command_line_has_a_suggestion_and_the_usage_of_its_verb(weft, arguments, usage,
                                                                        message):
    err = weft(*arguments, status=2)
    assert err.startswith(usage) and message in err
