"""The Moodle companion plugin, as far as can be told without a Moodle; its own tests are PHPUnit files beside it."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "deploy" / "moodle" / "local_xueshi"
PHP = sorted(PLUGIN.rglob("*.php"))
# what Moodle 4.1's PHP, 7.4, does not have
NEWER = (
    r"\bmatch\s*\(",
    r"\?->",
    r"\breadonly\b",
    r"\benum\s+\w+",
    r"\bstr_(contains|starts_with|ends_with)\(",
    r"function \w+\([^)]*\w\|\w[^)]*\)",
    r"\): (static|mixed|never)\b",
    r"function [^(]*\([^)]*,\s*\) ?[:{]",  # a comma after the last parameter
)
STRING = re.compile(r"^\$string\['(.+?)'\] = '((?:[^'\\]|\\.)+)';$", re.MULTILINE)


def text(name: str) -> str:
    return (PLUGIN / name).read_text(encoding="utf-8")


def strings(language: str) -> dict[str, str]:
    source = text(f"lang/{language}/local_xueshi.php")
    found = STRING.findall(source)
    assert len(found) == source.count("$string["), "a string that is not of one line"
    assert len(dict(found)) == len(found), "a string that stands twice"
    return dict(found)


@pytest.mark.needs("php")
def test_every_file_is_php():
    said = subprocess.run(
        ["xargs", "-0", "-n1", "php", "-l"], input="\0".join(map(str, PHP)), capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("No syntax errors detected") == len(PHP) > 30


@pytest.mark.parametrize("path", PHP, ids=lambda p: str(p.relative_to(PLUGIN)))
def test_every_file_says_its_package_and_licence_and_stays_with_php_7_4(path: Path):
    source = path.read_text(encoding="utf-8")
    assert source.startswith("<?php\n// This file is part of Moodle")
    assert "@package    local_xueshi" in source
    assert "GNU GPL v3 or later" in source
    for newer in NEWER:
        assert not re.search(newer, source), newer


def test_languages_have_the_same_strings_in_order():
    english, chinese = strings("en"), strings("zh_cn")
    assert list(english) == list(chinese) == sorted(english)
    placeholders = re.compile(r"\{\$a[^}]*\}")
    for key in english:
        assert placeholders.findall(english[key]) == placeholders.findall(chinese[key]), key
    assert all(re.search("[一-鿿]", value) for value in chinese.values())


def test_every_string_that_is_used_exists_and_every_one_that_exists_is_used():
    source = "\n".join(p.read_text(encoding="utf-8") for p in PHP if "lang" not in p.parts and "tests" not in p.parts)
    used = set(
        re.findall(r"(?:get_string|lang_string|moodle_exception)\(\s*['\"]([\w:{}$]+)['\"],\s*'local_xueshi'", source)
    )
    used |= set(re.findall(r"'(privacy:metadata:\w+)'", source))
    used |= {
        f"privacy:path:{table}"
        for table in re.findall(r"'(local_xueshi_\w+)' => \[", text("classes/privacy/provider.php"))
    }
    used |= {name.replace("local/", "") for name in re.findall(r"'(local/xueshi:\w+)' =>", text("db/access.php"))}
    used -= {"privacy:path:{$table}"}
    assert used | {"pluginname"} == set(strings("en"))


def test_services_are_the_agreed_functions():
    source = text("db/services.php")
    functions = re.findall(r"^    '(\w+)' => \[$", source.split("$services")[0], re.MULTILINE)
    assert functions == [f"local_xueshi_get_{what}" for what in ("completions", "digest", "changes")]
    for name in functions:
        assert (PLUGIN / "classes" / "external" / f"{name.removeprefix('local_xueshi_')}.php").is_file()
    service = source.split("$services")[1]
    assert re.findall(r"'shortname' => '(\w+)'", service) == ["xueshi"]
    assert re.search(r"'restrictedusers' => 1", service)
    offered = set(re.findall(r"^            '(\w+)',$", service, re.MULTILINE))
    assert offered == {*functions, "core_webservice_get_site_info", "core_course_get_courses_by_field"}
    assert set(re.findall(r"'capabilities' => '(.+?)'", source)) == {"local/xueshi:read"}


def test_tables_keep_to_moodles_limits():
    root = ET.fromstring(text("db/install.xml"))  # noqa: S314 - our own file
    assert root.get("PATH") == "local/xueshi/db"
    tables = root.findall("TABLES/TABLE")
    assert {t.get("NAME", "") for t in tables} == {
        f"local_xueshi_{n}" for n in ("state", "change", "known", "person", "course")
    }
    for table in tables:
        assert len(table.get("NAME", "")) <= 28
        fields = [f.get("NAME", "") for f in table.findall("FIELDS/FIELD")]
        assert fields[0] == "id"
        assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,29}", f) for f in fields)
        assert len(fields) == len(set(fields))
        for index in table.findall("INDEXES/INDEX"):
            assert {f.strip() for f in index.get("FIELDS", "").split(",")} <= set(fields)
        for field in table.findall("FIELDS/FIELD"):
            # Oracle and Moodle agree: no text column that must be there with an empty default
            assert (
                field.get("TYPE") not in {"char", "text"}
                or field.get("NOTNULL") == "false"
                or field.get("NAME") == "kind"
            )


def test_version_is_of_its_date_and_of_the_releases_it_names():
    source = text("version.php")
    version, requires = (int(re.search(rf"\$plugin->{what} = (\d+);", source)[1]) for what in ("version", "requires"))
    assert re.fullmatch(r"20\d\d[01]\d[0-3]\d\d\d", str(version))
    assert requires == 2022112800, "Moodle 4.1"
    assert re.search(r"\$plugin->supported = \[401, 501\];", source)
    tables = re.search(r'VERSION="(\d+)"', text("db/install.xml"))[1]
    assert int(tables) <= version // 100
    # every step of an upgrade ends at a version that exists
    assert all(int(v) <= version for v in re.findall(r"upgrade_plugin_savepoint\(true, (\d+)", text("db/upgrade.php")))


def test_observers_name_methods_that_exist_and_run_after_the_commit():
    source = text("db/events.php")
    callbacks = set(re.findall(r"observer::(\w+)'", source))
    assert callbacks <= set(re.findall(r"public static function (\w+)", text("classes/observer.php")))
    assert source.count("'eventname'") == source.count("'internal' => false")


def test_it_is_free_software_of_its_own_licence():
    assert text("LICENSE").lstrip().startswith("GNU GENERAL PUBLIC LICENSE")
    assert "## 中文说明" in text("README.md")
