"""Settings: three doors to one thing, and errors in the user's words."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from mathquorum.config import Settings, build, merge, parse_overrides, read_settings_file
from mathquorum.engines import AnyEngine, Embedded, Scripted, Server
from mathquorum.errors import SettingsError
from mathquorum.objectives import AnyObjective, MarginLoss, PairwiseLoss
from mathquorum.training.settings import Training


class Inner(Settings):
    temperature: float = Field(default=0.9, ge=0)
    top: int = 1


class Presets(Settings):
    inner: Inner = Inner(temperature=0.25, top=3)


class Outer(Settings):
    model: str
    sampling: Inner = Inner()
    seed: int = 0
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "words",
    [
        ["--model", "m", "--sampling.temperature", "0.7"],
        ["--model=m", "--sampling.temperature=0.7"],
        ["model=m", "sampling.temperature=0.7"],
        ["--model", "m", "sampling.temperature=7e-1"],
    ],
)
def test_every_form_of_an_override_means_the_same(words: list[str]) -> None:
    assert build(Outer, parse_overrides(words)) == Outer(model="m", sampling=Inner(temperature=0.7))


def test_a_file_is_overridden_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "here")
    path = tmp_path / "run.yaml"
    path.write_text("model: ${WHERE}/m\nsampling: {temperature: 0.5}\nseed: 4\nnames: [a, b]\n")
    values = merge(read_settings_file(path), parse_overrides(["--seed", "5"]))
    assert build(Outer, values) == Outer(model="here/m", sampling=Inner(temperature=0.5), seed=5, names=("a", "b"))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"model": "m", "sampling": {"temprature": 1}},
            "Unknown setting 'sampling.temprature'. Did you mean 'temperature'?",
        ),
        ({"model": "m", "sed": 1}, "Unknown setting 'sed'. Did you mean 'seed'?"),
        ({}, "model is required"),
        (
            {"model": "m", "sampling": {"temperature": -1}},
            "sampling.temperature should be greater than or equal to 0. Got -1",
        ),
        ({"model": "m", "seed": "x"}, "seed should be a valid integer"),
    ],
)
def test_errors_name_the_setting_as_the_user_wrote_it(values: dict[str, object], text: str) -> None:
    with pytest.raises(SettingsError) as error:
        build(Outer, values)
    assert text in str(error.value)


@pytest.mark.parametrize("word", ["model", "-m", "=3", "a..b=1"])
def test_words_that_are_no_setting_are_refused(word: str) -> None:
    with pytest.raises(SettingsError, match="Settings are given as"):
        parse_overrides([word])


@pytest.mark.parametrize("words", [["--sampling", "3", "--sampling.temperature", "1"], ["--a.b.c", "1", "--a.b", "2"]])
def test_a_value_beside_a_part_of_it_is_refused(words: list[str]) -> None:
    with pytest.raises(SettingsError, match="given both a value and parts"):
        parse_overrides(words)


def test_the_last_of_two_values_counts_and_parts_of_mappings_add_up() -> None:
    assert parse_overrides(["seed=1", "seed=2"]) == {"seed": 2}
    assert parse_overrides(["--bases", "{S: a}", "--bases.L", "b"]) == {"bases": {"S": "a", "L": "b"}}
    assert parse_overrides(["--bases.L", "b", "--bases", "{S: a}"]) == {"bases": {"S": "a", "L": "b"}}


def test_unreadable_settings_files_are_misuse(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    for text, reason in [("a: [", "not valid YAML"), ("- 1", "must hold"), ("a: ${NOT_SET_ANYWHERE}", "not set")]:
        path.write_text(text)
        with pytest.raises(SettingsError, match=reason):
            read_settings_file(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings_file(tmp_path / "none.yaml")


def test_a_part_of_a_default_can_be_changed_and_the_rest_stays() -> None:
    assert build(Presets, {"inner": {"top": 5}}) == Presets(inner=Inner(temperature=0.25, top=5))
    with pytest.raises(SettingsError, match=r"Unknown setting 'inner\.tpo'. Did you mean 'top'"):
        build(Presets, {"inner": {"tpo": 5}})


class Engines(Settings):
    engine: AnyEngine = Embedded()


def test_a_setting_of_a_union_is_named_as_the_user_wrote_it() -> None:
    values = {"kind": "server", "url": "http://127.0.0.1:8000/v1"}
    with pytest.raises(SettingsError, match=r"^engine\.url is required\. Give it as --engine\.url VALUE"):
        build(Engines, {"engine": {"kind": "server"}})
    with pytest.raises(SettingsError, match=r"Unknown setting 'engine\.concurency'\. Did you mean 'concurrency'"):
        build(Engines, {"engine": {**values, "concurency": 3}})
    found = build(Engines, parse_overrides(["--engine.kind", "server", "--engine.url", values["url"]])).engine
    assert found == Server(url=values["url"])


@pytest.mark.parametrize(
    "given",
    [
        {"key_variable": "sk-secret"},
        {"key_variable": "sk_secret"},
        {"url": "http://user:secret@host/v1"},
        {"url": "http://host/v1?key=secret"},
    ],
)
def test_a_key_given_where_a_name_belongs_is_refused_and_not_repeated(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        build(Engines, {"engine": {"kind": "server", "url": "http://host/v1", **given}})
    assert "secret" not in str(caught.value) and "environment variable" in str(caught.value)


class Many(Settings):
    names: tuple[str, ...] = ()
    layers: Literal["all"] | tuple[str, ...] = "all"
    flag: bool = False
    training: Training = Training(epochs=3)
    objectives: dict[str, AnyObjective] = {"margin": MarginLoss(margin=0.5)}
    engine: AnyEngine = Embedded()


def many(*words: str) -> Many:
    return build(Many, parse_overrides(words))


def test_one_value_stands_for_a_tuple_of_one_where_only_a_tuple_fits() -> None:
    assert many("--names", "margin").names == ("margin",)
    assert many("--names", "[a, b]").names == ("a", "b")
    assert many("--layers", "all").layers == "all"
    assert many("--layers", "q_proj").layers == ("q_proj",)


@pytest.mark.parametrize("name", ["training.max_length", "names", "training.learning_rate", "layers", "training"])
def test_a_forgotten_value_is_an_error_and_not_1(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name} needs a value: --{name} VALUE\. Got true instead\.$"):
        many(f"--{name}")
    assert many("--flag").flag


def test_a_setting_sets_the_default_of_its_rival_aside() -> None:
    assert many("--training.steps", "3").training == Training(steps=3)
    assert many("--training.learning_rate", "1e-3").training == Training(epochs=3, learning_rate=1e-3)
    file = {"training": {"epochs": 2, "log_steps": 7}}
    assert build(Many, file, {"training": {"steps": 9}}).training == Training(steps=9, log_steps=7)
    with pytest.raises(SettingsError, match="give epochs or steps, not both"):
        many("--training.steps", "3", "--training.epochs", "1")


def test_members_of_a_union_are_known_by_their_word() -> None:
    assert many("--objectives", "{margin: {}}").objectives == {"margin": MarginLoss(margin=0.5)}
    assert many("--objectives", "{one: margin, two: {name: pairwise}}").objectives == {
        "one": MarginLoss(),
        "two": PairwiseLoss(),
    }
    assert many("--engine.kind", "scripted", "--engine.texts", "'7'").engine == Scripted(texts=("7",))
    assert many("--engine", "embedded").engine == Embedded()
    with pytest.raises(SettingsError, match=r"objectives\.new\.name is required\. Known: contrastive, cross_entropy"):
        many("--objectives", "{new: {}}")
    with pytest.raises(SettingsError, match=r"objectives\.new\.name: there is no 'margn'\. Did you mean 'margin'\?"):
        many("--objectives", "{new: {name: margn}}")
