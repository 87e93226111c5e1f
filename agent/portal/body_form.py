"""The form of an organisation, and the sentence beside each field that is wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext

from agent.organisations.models import Kind, Organisation, check_uscc
from agent.people.bodies import Facts

_REGION = 6


class BodyForm(forms.Form):
    """What people say about a body. Of a body that is there, the region stays as it is."""

    name = forms.CharField(max_length=200)
    kind = forms.ChoiceField(choices=Kind.choices)
    uscc = forms.CharField(max_length=30)
    region = forms.CharField(max_length=_REGION, required=False)
    status_until = forms.DateField(required=False)
    department = forms.ModelChoiceField(
        Organisation.objects.filter(kind=Kind.SECTOR_DEPARTMENT).order_by("name"), required=False
    )
    revision = forms.IntegerField(required=False)

    def __init__(self, data: Any = None, *, body: Organisation | None = None) -> None:
        self.body = body
        start = None
        if body:
            fields = ("name", "kind", "uscc", "region", "status_until", "department", "revision")
            start = {field: getattr(body, field) for field in fields}
        super().__init__(data, initial=start)
        self.fields["name"].error_messages["required"] = gettext("请填写单位名称。")
        self.fields["uscc"].error_messages["required"] = gettext("请填写统一社会信用代码。")
        self.fields["status_until"].error_messages["invalid"] = gettext("日期写作2026-12-31。")

    def clean_uscc(self) -> str:
        """18 characters without O, I, S, V, Z, the last a check character; nobody else's."""
        value = "".join(self.cleaned_data["uscc"].split()).upper()
        try:
            check_uscc(value)
        except forms.ValidationError:
            raise forms.ValidationError(
                gettext(
                    "统一社会信用代码不对：应是18位数字或大写字母（不含I、O、S、V、Z），末位是校验码。请对照营业执照或证书再看一遍。"
                )
            ) from None
        other = Organisation.objects.filter(uscc=value).first()
        if other and (self.body is None or other.pk != self.body.pk):
            raise forms.ValidationError(gettext("这个代码已经属于“%(name)s”。") % {"name": other.name})
        return value

    def clean_region(self) -> str:
        """Six digits; not asked for where it can't change."""
        if self.body:
            return self.body.region
        value = str(self.cleaned_data["region"])
        if not (len(value) == _REGION and value.isascii() and value.isdigit()):
            raise forms.ValidationError(gettext("行政区划代码是6位数字，例如370400。"))
        return value

    def facts(self) -> Facts:
        """What the form says, once it is valid."""
        said = self.cleaned_data
        return Facts(said["uscc"], said["kind"], said["name"], said["region"], said["status_until"], said["department"])

    def told(self) -> list[str]:
        """What is wrong, sentence by sentence."""
        return [str(each) for errors in self.errors.values() for each in errors]
