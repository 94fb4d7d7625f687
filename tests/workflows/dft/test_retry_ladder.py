"""The retry ladder: rung after rung, each change needed, the settings asked for at the end."""

from collections.abc import Callable

from workflows.dft.retry_ladder import LADDER, Change, climb


def made(reached: Callable[[Change], bool]) -> tuple[bool, list[str], list[Change]]:
    """Return whether the ladder was climbed, what was retried, and all changes that were made."""
    changes: list[Change] = []
    retries: list[str] = []

    def attempt(change: Change) -> bool:
        changes.append(change)
        return reached(change)

    return climb(attempt, retries), retries, changes


def test_what_converges_at_once_is_not_retried() -> None:
    assert made(lambda _: True) == (True, [], [Change()])


def test_each_rung_is_climbed_until_one_helps() -> None:
    reached, retries, changes = made(lambda change: change.eigensolver is not None)
    assert reached
    assert retries == ["more iterations", "careful density mixing", "another eigensolver"]
    assert changes[:2] == [Change(), Change()]
    assert changes[2].mixer is not None


def test_a_wider_smearing_alone_is_no_result() -> None:
    reached, retries, changes = made(lambda change: change.smearing == 4.0)
    assert not reached
    assert retries == [rung.name for rung in LADDER]
    assert [change.smearing for change in changes[-2:]] == [4.0, 1.0]


def test_the_smearing_comes_back_to_the_setting() -> None:
    reached, _, changes = made(lambda change: change.smearing is not None)
    assert reached
    assert changes[-1].smearing == 1.0


def test_no_rung_leaves_other_settings_behind() -> None:
    for rung in LADDER:
        assert rung.changes[-1].smearing in (None, 1.0)


def test_a_change_in_the_words_of_gpaw() -> None:
    assert Change().parameters(0.1) == {}
    assert Change(smearing=4.0).parameters(0.1) == {
        "occupations": {"name": "fermi-dirac", "width": 0.4}
    }
    assert Change(eigensolver={"name": "ppcg"}).parameters(0.1) == {"eigensolver": {"name": "ppcg"}}
