"""docs/deploy.md and Terraform call things as the workflows do."""

from __future__ import annotations

import re
from typing import Final

import pytest

from pipelines.workflows import FILES, REPOSITORY

GUIDE: Final = (REPOSITORY / "docs" / "deploy.md").read_text()
WORKFLOWS: Final = "\n".join(path.read_text() for path in FILES)
VARIABLES: Final = "\n".join(path.read_text() for path in sorted((REPOSITORY / "terraform").glob("variables*.tf")))


def table(*columns: str) -> dict[str, list[str]]:
    """The rows below a heading of these columns, by the name in the first one."""
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
