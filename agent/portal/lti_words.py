"""Why a launch or a registration was refused, in the reader's words, and who may stand around our pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpResponse
from django.utils.translation import gettext

from agent.errors import XueshiError
from agent.portal.middleware import POLICY


def refusal(error: XueshiError) -> tuple[str, str]:
    """A sentence, and what to do."""
    again = gettext("请回到学习平台的课程里，重新点一次“我的学时与证书”。")
    base = gettext("请联系开课的继续教育基地，并告诉他们下面的代码。")
    said = {
        "E_LTI_PLATFORM": (gettext("这个学习平台还没有在这里登记。"), base),
        "E_LTI_STATE": (gettext("这次打开已经用过，或者等得太久了。"), again),
        "E_LTI_SIGNATURE": (gettext("学习平台送来的凭据不是它签的，没有让任何人进来。"), base),
        "E_LTI_CLAIM": (gettext("学习平台送来的凭据不是给这一次的。"), again),
        "E_LTI_LATE": (gettext("学习平台的凭据只在一分钟内有效，这一张已经过期。"), again),
        "E_LTI_DEPLOYMENT": (gettext("这个外部工具不是由登记过的那一处部署打开的。"), base),
        "E_LTI_SILENT": (gettext("学习平台现在没有应答。"), gettext("请过几分钟再试；一直这样，请告诉开课的基地。")),
        "E_LTI_TICKET": (gettext("这个入口已经用过，或者超过了五分钟。"), again),
        "E_LTI_NUMBER": (
            gettext("这个号码与学习平台上的这个账号对不上。"),
            gettext("请对照证件再输一次。确实没有输错的，请开课的基地在学习平台里填上您的号码，下次同步后会自动认出您。"),
        ),
        "E_LTI_ACCOUNT": (
            gettext("您在这里已经有一个带密码的账号。"),
            gettext("请直接用它登录。想从学习平台直接进来，请开课的基地在学习平台里填上您的身份证号。"),
        ),
        "E_LTI_REGISTRATION": (
            gettext("这个登记链接已经用过，或者超过了两小时。"), gettext("请在来源的页面里重新生成一个。"),
        ),
        "E_LTI_VALUES": (
            gettext("学习平台给的值不能用：%(field)s。"),
            gettext("地址必须都在这个来源自己的网址下；编号请从学习平台的“工具配置详情”里原样复制。"),
        ),
    }  # fmt: skip
    sentence, fix = said.get(error.code, (error.message, error.how_to_fix))
    return (sentence % error.params if "%(" in sentence else sentence), fix


def framed(response: HttpResponse, *origins: str, posts_to: str = "") -> HttpResponse:
    """Let the LMS show this page in a frame; nothing personal may be done on it.

    :param origins: whose pages may stand around it; none: whoever's, for a page that only says a sentence
    :param posts_to: where its form goes, when not to us
    """
    ancestors = " ".join(origin_of(each) for each in origins) or "*"
    policy = POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")
    if posts_to:
        policy = policy.replace("form-action 'self'", f"form-action {origin_of(posts_to)}")
    response.headers["Content-Security-Policy"] = policy
    response.xframe_options_exempt = True  # what Django's own middleware looks for
    return response


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
