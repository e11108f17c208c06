"""docs/deploy.md says what the workflows and Terraform do."""

from __future__ import annotations

import re
from typing import Final

import pytest

from pipelines.workflows import FILES, REPOSITORY

GUIDE: Final = (REPOSITORY / "docs" / "deploy.md").read_text()
WORKFLOWS: Final = "\n".join(path.read_text() for path in FILES)
TERRAFORM: Final = "\n".join(file.read_text() for file in (REPOSITORY / "terraform").glob("variables*.tf"))


def table(*columns: str) -> list[list[str]]:
    """The rows below a heading of these columns."""
    _, _, rest = GUIDE.partition(f"| {' | '.join(columns)} |\n")
    assert rest, columns
    rows = [line for line in rest.partition("\n\n")[0].splitlines() if not line.startswith("|---")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def default(variable: str) -> str:
    """What Terraform takes where nobody says otherwise."""
    found = re.search(rf'^variable "{variable}" {{.*?^  default +=(.*?)$', TERRAFORM, re.MULTILINE | re.DOTALL)
    assert found, variable
    return found[1].strip().strip('"')


def test_the_table_of_secrets_names_each_one_that_a_workflow_reads_and_no_other() -> None:
    named = [row[0].strip("`") for row in table("secret", "used by", "what it is")]
    assert sorted(named) == sorted(set(re.findall(r"secrets\.(\w+)", WORKFLOWS)))


def test_the_table_of_variables_names_each_one_that_a_workflow_reads_and_its_default() -> None:
    rows = {name.strip("`"): what for name, _, what, _ in table("variable", "used by", "default", "what it is")}
    assert sorted(rows) == sorted(set(re.findall(r"vars\.(\w+)", WORKFLOWS)))
    for name, shown in rows.items():
        [*inside] = set(re.findall(rf"vars\.{name} \|\| '([^']*)'", WORKFLOWS))
        assert [shown.strip("`")] == (inside or [shown]), name


@pytest.mark.parametrize(
    ("variable", "workflow"),
    [("cluster_name", "CLUSTER_NAME"), ("kubernetes_namespace", "KUBERNETES_NAMESPACE")],
)
def test_a_default_of_the_workflows_is_the_one_of_terraform(variable: str, workflow: str) -> None:
    assert f"vars.{workflow} || '{default(variable)}'" in WORKFLOWS


def test_the_name_of_the_service_is_the_one_of_terraform() -> None:
    assert f"get service {default('intake_service_name')} " in WORKFLOWS


@pytest.mark.parametrize("column", ["a month", "a million e-mails"])
def test_each_price_is_what_its_formula_comes_to(column: str) -> None:
    for _, formula, dollars, _ in table("what", column, "dollars", "source"):
        if formula:
            assert f"{product(formula):.2f}" == dollars, formula


def product(formula: str) -> float:
    assert re.fullmatch(r"`[\d. */]+`", formula), formula
    return float(eval(formula.strip("`")))  # noqa: S307  numbers, * and / alone


def test_the_months_sum_is_that_of_its_lines() -> None:
    *rows, [_, _, total, _] = table("what", "a month", "dollars", "source")
    assert f"**{sum(product(formula) for _, formula, *_ in rows):.2f}**" == total


def test_what_is_priced_is_what_terraform_makes_by_default() -> None:
    assert (default("node_count"), default("node_instance_types")) == ("3", '["t3.medium"]')
    assert (default("single_nat_gateway"), default("region")) == ("true", "us-east-1")


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)", GUIDE))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (REPOSITORY / "docs" / link).exists()


def test_it_has_the_fourteen_steps() -> None:
    assert re.findall(r"^\*\*(\d+)\. ", GUIDE, re.MULTILINE) == [str(number) for number in range(1, 15)]


def test_its_commands_name_variables_and_outputs_that_terraform_has() -> None:
    outputs = (REPOSITORY / "terraform" / "outputs.tf").read_text()
    for name in re.findall(r"terraform output -raw (\w+)", GUIDE):
        assert f'output "{name}"' in outputs, name
    for name in re.findall(r"(?:-var |TF_VAR_)(\w+)", GUIDE):
        assert f'variable "{name}"' in TERRAFORM, name
