"""What can go wrong when a certificate is numbered, signed or drawn."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class CertificateError(XueshiError):
    """The certificate can't be made."""

    code = "E_CERTIFICATE"


# --- the signing key ---------------------------------------------------------------------------------------------
class SigningKeyError(CertificateError):
    """The signing key can't be used."""

    code = "E_SIGNING_KEY"
    fix = "Put back the signing key; certificates stay pending until then, and none goes out unsigned."


class SigningKeyMissing(SigningKeyError):
    """There is no signing key at {path}."""

    code = "E_SIGNING_KEY_MISSING"
    fix = "Put the file back from the backup, or set XUESHI_SIGNING_P12. Certificates stay pending until then."


class SigningKeyUnreadable(SigningKeyError):
    """The signing key at {path} can't be read: {reason}."""

    code = "E_SIGNING_KEY_UNREADABLE"
    fix = "Check the file's rights and that it is whole; put it back from the backup if it is not."


class SigningKeyPassword(SigningKeyError):
    """{path} can't be opened: the password is wrong, or it is no PKCS#12 file."""

    code = "E_SIGNING_KEY_PASSWORD"
    fix = "Check XUESHI_SIGNING_P12 and its password; try it with: openssl pkcs12 -in FILE -noout -info"


class SigningKeyMismatch(SigningKeyError):
    """The certificate and the private key in {path} do not belong together."""

    code = "E_SIGNING_KEY_MISMATCH"
    fix = "Export certificate and key together, as one pair."


class SigningKeyExpired(SigningKeyError):
    """The signing certificate in {path} is valid from {since} to {until} only."""

    code = "E_SIGNING_KEY_EXPIRED"
    fix = "Set XUESHI_SIGNING_P12 to a key whose certificate is valid today. What it signed before still verifies."


class SigningKeyKind(SigningKeyError):
    """The signing key in {path} is {kind}; PDF readers verify P-256, and RSA from 2048 bits."""

    code = "E_SIGNING_KEY_KIND"
    fix = "Use a P-256 key, or RSA with 2048 bits or more."


class SigningKeyUsage(SigningKeyError):
    """The certificate in {path} may not be used for signatures (its key usage forbids it)."""

    code = "E_SIGNING_KEY_USAGE"
    fix = "Ask for a certificate with the key usage digitalSignature or nonRepudiation."


class SigningKeyRetired(SigningKeyError):
    """The signing key {kid} was retired on {until} and signs no more."""

    code = "E_SIGNING_KEY_RETIRED"
    fix = "Point the settings at the key that took its place (`xueshi keys list`), then: xueshi keys rotate"


class SigningKeyToken(SigningKeyError):
    """The token {token} (PKCS#11) can't sign: {reason}."""

    code = "E_SIGNING_KEY_TOKEN"
    fix = "Check that the device is there, XUESHI_PKCS11_MODULE, _TOKEN, _KEY and the PIN; then: xueshi doctor"


class ProofKeyMissing(SigningKeyError):
    """The signing key on the token {label} has no Ed25519 key beside it, so no embedded proof can be made."""

    code = "E_PROOF_KEY_MISSING"
    fix = "Use the credential as .jwt, which needs none: it is signed by the token."


class KeySame(SigningKeyError):
    """The key that is set up, {kid}, is the one that signs already."""

    code = "E_KEY_SAME"
    fix = "Set XUESHI_SIGNING_P12, or XUESHI_PKCS11_KEY, to the new key first, then rotate."


class KeyUnknown(SigningKeyError):
    """No one published key begins with {kid}."""

    code = "E_KEY_UNKNOWN"
    fix = "See: xueshi keys list"


class KeyInUse(SigningKeyError):
    """The key {kid} is the one that signs now."""

    code = "E_KEY_IN_USE"
    fix = "Let another one sign first: xueshi keys rotate"


class Sm2Unavailable(SigningKeyError):
    """The SM2 signature can't be made: {reason}."""

    code = "E_SM2"
    fix = "Set XUESHI_SM2_KEY to an SM2 private key (PEM), and see that the program openssl (3.0 or newer) is there."


# --- numbers -----------------------------------------------------------------------------------------------------
class NumberFull(CertificateError):
    """The certificate number has no room for {part} {value}: at most {digits} digits."""

    code = "E_NUMBER_FULL"
    fix = "File a further programme for those who are left, or widen the number's pattern."
    exit_code = PERSON_NEEDED


# --- the text on the page ----------------------------------------------------------------------------------------
class GlyphMissing(CertificateError):
    """The fonts have no glyph for «{character}» ({code_point}) in {field}."""

    code = "E_GLYPH_MISSING"
    fix = (
        "Check the character with the person's identity card; if it is right, install a font that has it (Debian: "
        "fonts-hanazono has all of GB 18030-2022) or put one into the folder XUESHI_FONTS."
    )
    exit_code = PERSON_NEEDED


class PrivateUse(GlyphMissing):
    """{code_point} in {field} is a private-use code point: right on one machine, meaningless elsewhere."""

    code = "E_PRIVATE_USE"
    fix = "Correct the character at the source: most have had a code point of their own since GB 18030-2022."


class TextControl(GlyphMissing):
    """{code_point} in {field} is not a visible character."""

    code = "E_TEXT_CONTROL"
    fix = "Take it out at the source; it mostly comes from copying and pasting."


class TextTooLong(CertificateError):
    """A text of certificate {number} does not fit its place on the page, not even in the smallest letters."""

    code = "E_TEXT_TOO_LONG"
    fix = "Shorten the programme's title or an organisation's name; a name of 50 and a title of 200 characters fit."
    exit_code = PERSON_NEEDED


class TemplateFailed(CertificateError):
    """The template {template} can't be set: {reason}."""

    code = "E_TEMPLATE"
    fix = "Put back the template as it was delivered, or correct what the sentence names."


class PageUnexpected(CertificateError):
    """The page to sign does not have the form that Typst gives it: {reason}."""

    code = "E_PAGE_FORM"
    fix = "Install the locked version of typst (requirements.lock)."


# --- the time-stamp ------------------------------------------------------------------------------------------------
class TimestampError(CertificateError):
    """The page has no time-stamp, so it was not made."""

    code = "E_TSA"
    fix = "Ask again later; XUESHI_TSA_WHEN_DOWN=without makes pages without a time-stamp meanwhile."


class TimestampUnreachable(TimestampError):
    """The time-stamp authority {url} does not answer ({reason}); the page was not made."""

    code = "E_TSA_UNREACHABLE"


class TimestampRefused(TimestampError):
    """What the time-stamp authority {url} answers is not taken: {reason}; the page was not made."""

    code = "E_TSA_REFUSED"
    fix = "Check XUESHI_TSA_URL, XUESHI_TSA_CA and this machine's clock, or ask the authority."


# --- linked data -------------------------------------------------------------------------------------------------
class ContextUnknown(CertificateError):
    """The context {url} is not among those that are kept here, and none is downloaded."""

    code = "E_CONTEXT"
    fix = "Use the contexts of credentials as they are issued here."


class TermUndefined(CertificateError):
    """The term {term} is defined by no context of the credential, so no proof would cover it."""

    code = "E_TERM"
    fix = "Take the term out, or name the context that defines it."


# --- reading back ------------------------------------------------------------------------------------------------
class CredentialInvalid(CertificateError):
    """The credential is not valid: {reason}."""

    code = "E_CREDENTIAL"
    fix = "Check the certificate by its QR code or number: the page behind it shows the true data."
    exit_code = PERSON_NEEDED


# --- a certificate's life ----------------------------------------------------------------------------------------
class NumberUnknown(CertificateError):
    """There is no certificate with the number {number}."""

    code = "E_CERTIFICATE_UNKNOWN"
    fix = "See `xueshi certificate list`; the last digit is a check digit."


class StepRefused(CertificateError):
    """Certificate {number} is {state}: it can't be {step}."""

    code = "E_STEP"
    fix = "What can happen to it now: {allowed}. See `xueshi certificate show {number}`."


class ReasonRefused(CertificateError):
    """«{reason_class}» is no reason for which a certificate is {step}, or there is no sentence beside it."""

    code = "E_STEP_REASON"
    fix = "Give --because one of: {allowed}; and --reason in a sentence of at most 200 characters."


class NothingToCorrect(CertificateError):
    """Certificate {number} says already what its successor would say."""

    code = "E_NOTHING_TO_CORRECT"
    fix = "Correct the completion at the source and sync, or give the right name with --name."


class NotEarned(CertificateError):
    """The completion behind certificate {number} earns none now: the source took it back or made it another's, or its
    programme has no certificates.
    """

    code = "E_NOT_EARNED"
    fix = "Put it right at the source or in the filing first; `xueshi learner explain` shows what counts and why."


class AnotherLive(CertificateError):
    """The learner of certificate {number} has another one in force for the same programme: {other}."""

    code = "E_ANOTHER_LIVE"
    fix = "Revoke {other} first, if that is the wrong one."


class SeveralHolders(CertificateError):
    """A new name was given for certificates of several people."""

    code = "E_SEVERAL_HOLDERS"
    fix = "Supersede them one person at a time."


# --- the transparency log ----------------------------------------------------------------------------------------
class HeadInvalid(CertificateError):
    """The tree head is not valid: {reason}."""

    code = "E_TREE_HEAD"
    fix = "Save a head anew from /transparency/sth.json, and keep the old one: it may be evidence."
    exit_code = PERSON_NEEDED


class NoHead(CertificateError):
    """No tree head has been published yet."""

    code = "E_NO_TREE_HEAD"
    fix = "Wait for the hour, or run `xueshi transparency head --publish`."


class NotInLog(CertificateError):
    """Certificate {number} is not in the log of the last published head."""

    code = "E_NOT_IN_LOG"
    fix = "It comes with the next hourly head; if it does not, run `xueshi transparency audit`."
