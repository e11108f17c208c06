"""docs/deploy.md and terraform/ use the names that the workflows use."""

from __future__ import annotations

import re
from typing import Final

import pytest

from pipelines.workflows import FILES, REPOSITORY, SCRIPTS

GUIDE: Final = (REPOSITORY / "docs" / "deploy.md").read_text()
WORKFLOWS: Final = "\n".join(path.read_text() for path in FILES)
VARIABLES: Final = "\n".join(path.read_text() for path in sorted((REPOSITORY / "terraform").glob("variables*.tf")))


def table(*columns: str) -> dict[str, list[str]]:
    """The rows of the table with these columns, by the name in the first one."""
    _, _, rest = GUIDE.partition(f"| {' | '.join(columns)} |\n")
    assert rest, columns
    rows = [line for line in rest.partition("\n\n")[0].splitlines() if not line.startswith("|---")]
    cells = [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]
    return {name: others for name, *others in cells}


def test_the_table_of_secrets_names_each_one_that_a_workflow_reads_and_no_other() -> None:
    named = table("secret", "used by", "what it is")
    assert sorted(named) == sorted(set(re.findall(r"secrets\.(\w+)", WORKFLOWS)))


def test_the_table_of_variables_names_each_one_that_a_workflow_reads_and_its_default() -> None:
    rows = table("variable", "used by", "default", "what it is")
    assert sorted(rows) == sorted(set(re.findall(r"vars\.(\w+)", WORKFLOWS)))
    for name, inside in set(re.findall(r"vars\.(\w+) \|\| '([^']*)'", WORKFLOWS)):
        assert rows[name][1] == inside, name


@pytest.mark.parametrize(
    ("variable", "used"),
    [
        ("cluster_name", "vars.CLUSTER_NAME || '{}'"),
        ("kubernetes_namespace", "vars.KUBERNETES_NAMESPACE || '{}'"),
        ("intake_service_name", "kubectl get service {} "),
        ("intake_name", "deployment: {}\n"),
        ("broker_name", "deployment: {}\n"),
    ],
)
def test_a_name_that_a_workflow_uses_is_the_default_of_terraform(variable: str, used: str) -> None:
    default = re.search(rf'^variable "{variable}" {{.*?^  default += "(.*?)"$', VARIABLES, re.MULTILINE | re.DOTALL)
    assert default, variable
    assert used.format(default[1]) in WORKFLOWS


def test_the_commands_of_the_guide_name_variables_and_outputs_that_terraform_has() -> None:
    outputs = (REPOSITORY / "terraform" / "outputs.tf").read_text()
    for name in re.findall(r"terraform output -raw (\w+)", GUIDE):
        assert f'output "{name}"' in outputs, name
    for name in re.findall(r"(?:-var |TF_VAR_)(\w+)", GUIDE):
        assert f'variable "{name}"' in VARIABLES, name


PROGRAMS: Final = {"aws", "curl", "docker", "gh", "git", "helm", "jq", "kubectl", "terraform"}


def programs(script: str) -> set[str]:
    """The programs that a script calls: at the start of a line or a substitution, or after a pipe or a condition."""
    return PROGRAMS & set(re.findall(r"(?:^|\||\$\(|;|&&|if|!)[ $]*(\w+) ", script, re.MULTILINE))


def test_the_guide_lists_every_program_that_its_commands_call() -> None:
    commands = "\n".join(line for line in GUIDE.splitlines() if line.startswith("    "))
    asked, end, _ = GUIDE.partition("## Prerequisites")[2].partition("\n\n### ")
    asked = re.sub(r"AWS\s+command\s+line", "aws", asked).lower()
    assert end
    assert {"jq", "kubectl", "terraform"} <= programs(commands)
    assert [program for program in programs(commands) if not re.search(rf"\b{program}\b", asked)] == []


def test_the_guide_lists_for_a_self_hosted_runner_every_program_that_a_deploy_calls() -> None:
    called = programs("\n".join(script for where, script in SCRIPTS.items() if where.startswith("_deploy/")))
    asked = table("variable", "used by", "default", "what it is")["DEPLOY_RUNNER"][-1]
    assert called == {"aws", "curl", "docker", "kubectl"}
    assert [program for program in called if not re.search(rf"\b{program}\b", asked)] == []
