"""Roles, kinds of bodies, actions and refusals of the house in the reader's words."""

from __future__ import annotations

from django.utils.translation import gettext

from agent.errors import XueshiError
from agent.organisations.rights import Kind, Role
from agent.portal.words import english


def role_name(role: str) -> str:
    """A role, as people say it."""
    return {
        Role.BASE_OPERATOR: gettext("基地操作员"),
        Role.DEPARTMENT_OFFICER: gettext("部门经办人"),
        Role.BUREAU_REVIEWER: gettext("人社局审核员"),
        Role.BUREAU_HEAD: gettext("人社局负责人"),
        Role.AUDITOR: gettext("审计员"),
        Role.ADMINISTRATOR: gettext("平台管理员"),
    }[Role(role)]


def kind_name(kind: str) -> str:
    """A kind of body, as people say it."""
    return {
        Kind.HR_BUREAU: gettext("人社局"),
        Kind.SECTOR_DEPARTMENT: gettext("行业主管部门"),
        Kind.TRAINING_BASE: gettext("继续教育基地"),
        Kind.EMPLOYER: gettext("用人单位"),
    }[Kind(kind)]


def refusal(error: XueshiError) -> str:
    """Why something was refused, in the reader's words."""
    known = {
        "E_ROLE_KIND": gettext("这个角色不属于这类单位：人社局的角色只能给人社局的人，基地的给基地的人。"),
        "E_ROLE_GIVEN": gettext("这个账号已经有这个角色。"),
        "E_LAST_ADMINISTRATOR": gettext("这是最后一位平台管理员，请先让另一个人成为管理员。"),
        "E_RESET_OWN": gettext("不能给自己发重设密码的链接：请在“我的账号”里修改密码，或者请另一位管理员来发。"),
        "E_ACCOUNT_CLOSED": gettext("这个账号已停用。要让这个人再进来，请先启用账号。"),
        "E_STALE": gettext("您打开页面以后，别人改过这个单位。下面是您填的内容，请对照现在的内容再保存一次。"),
    }
    return known.get(error.code) or error.message


_ACTIONS = {
    "account.signed_in": "登录",
    "account.locked": "账号锁定",
    "account.unlocked": "账号解锁",
    "account.closed": "账号停用",
    "account.opened": "账号启用",
    "audit.pruned": "清理旧审计记录",
    "audit.exported": "导出审计记录",
    "identity.seen": "查看完整身份证号",
    "invitation.accepted": "接受邀请",
    "invitation.taken_back": "收回邀请",
    "organisation.added": "新增单位",
    "organisation.changed": "修改单位",
    "outside_identity.tied": "关联统一身份",
    "outside_identity.untied": "解除统一身份",
    "password.changed": "修改密码",
    "password.reset": "重设密码",
    "password.reset_given": "发重设密码的链接",
    "person.invited": "邀请人员",
    "recovery_code.used": "使用恢复码",
    "recovery_codes.renewed": "重发恢复码",
    "role.given": "授予角色",
    "role.taken": "收回角色",
    "second_factor.confirmed": "设置二次验证",
    "second_factor.taken_away": "去掉二次验证",
    "session.ended": "结束会话",
    "sessions.ended": "结束会话",
}
"""Actions of this room in Chinese; whoever reads English, and whoever knows another room's, reads the word itself."""


_THINGS = {
    "account": "账号", "organisation": "单位", "invitation": "邀请", "learner": "学员", "programme": "项目",
    "source": "来源", "audit": "审计", "mapping": "课程对应", "certificate": "证书",
}  # fmt: skip
_FIELDS = {
    "role": "角色", "organisation": "单位", "email": "邮箱", "name": "名称", "kind": "类别", "uscc": "统一社会信用代码",
    "region": "行政区划", "status_until": "资格到期", "department": "服务的部门", "purpose": "用途", "from": "地址",
    "form": "格式", "events": "条数", "ended": "结束的会话", "invitation": "邀请", "hours": "学时", "title": "名称",
    "state": "状态", "reason": "理由", "remark": "意见", "code": "代码", "count": "数量",
}  # fmt: skip


def target_name(target: str) -> str:
    """What something was done to: its kind in the reader's words, the rest as it was recorded."""
    kind, space, rest = target.partition(" ")
    return target if english() else f"{_THINGS.get(kind, kind)}{space}{rest}"


def field_name(field: str) -> str:
    """A field of an event, as people say it; the word itself where no table of ours knows it."""
    return field if english() else _FIELDS.get(field, field)


def value_name(field: str, value: str) -> str:
    """What stands in it: roles and kinds of bodies in the reader's words."""
    if field == "role" and value in Role.values:
        return role_name(value)
    if field == "kind" and value in Kind.values:
        return kind_name(value)
    return value


def action_name(action: str) -> str:
    """An action, as people say it; the word itself where no table of ours knows it."""
    return action if english() else _ACTIONS.get(action, action)
