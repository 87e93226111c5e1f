"""What can be wrong with a template: every error names what to mend."""

from __future__ import annotations

from agent.certificates.errors import CertificateError


class TemplateInvalid(CertificateError):
    """The template can't be used: {reason}."""

    code = "E_TEMPLATE_INVALID"
    fix = "Correct the folder; docs/certificate-templates.md says what belongs into it."


class TemplateFileRefused(TemplateInvalid):
    """{file} does not belong into a template: {reason}."""

    code = "E_TEMPLATE_FILE"
    fix = "A template is one folder with template.toml, template.typ and its images, four megabytes at most."


class TemplateManifest(TemplateInvalid):
    """template.toml, {field}: {reason}."""

    code = "E_TEMPLATE_MANIFEST"
    fix = "Correct {field} in template.toml; `xueshi template new DIR` writes one to begin with."


class TemplateRefused(TemplateInvalid):
    """The template has {count} faults, the first: {first}."""

    code = "E_TEMPLATE_REFUSED"
    fix = "Mend what `xueshi template check DIR` names; nothing was published."


class TemplateVersionTaken(TemplateInvalid):
    """Version {version} of {name} is published already, and its content is another."""

    code = "E_TEMPLATE_VERSION"
    fix = "Raise version in template.toml to {next}: what was published never changes."


class TemplateUnknown(CertificateError):
    """There is no template {name} that {whose} may use."""

    code = "E_TEMPLATE_UNKNOWN"
    fix = "See `xueshi template list`."


class TemplateChoiceRefused(CertificateError):
    """The template can't be chosen: {reason}."""

    code = "E_TEMPLATE_CHOICE"
    fix = "A page that was given out stays as it is; choose for the programme, and later certificates follow."


class TemplateTrialFailed(TemplateInvalid):
    """The template was not drawn to the end: {reason}."""

    code = "E_TEMPLATE_TRIAL"
    fix = "Make it simpler: a page takes a hundredth of a second, and a trial may take {seconds} seconds and 1 GB."
