"""Roles, kinds of bodies, actions and refusals of the house in the reader's words."""

from __future__ import annotations

from django.utils.translation import gettext

from agent.errors import XueshiError
from agent.organisations.rights import Kind, Role
from agent.portal.words import english
from agent.programmes.transitions import Kind as Step


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
    "approval.asked": "改证书审批要求",
    "approval.given": "批准签发证书",
    "archive.asked": "要求打包证书",
    "certificate.suspended": "暂停证书",
    "certificate.resumed": "恢复证书",
    "certificate.superseded": "换发证书",
    "certificate.revoked": "撤销证书",
    "certificate.restored": "重新签发证书",
    "filing.begin": "新建备案",
    "filing.attach": "添加附件",
    "filing.detach": "去掉附件",
    "filing.void.propose": "提议作废备案",
    "filing.void.drop": "放下作废提议",
    **{f"filing.{kind.value}": f"备案：{kind.label}" for kind in Step},
    "filings.by_clock": "到期自动开班、结业",
    "key.created": "生成签名密钥",
    "key.rotated": "更换签名密钥",
    "key.retired": "停用签名密钥",
    "learner.notices": "改学员通知设置",
    "credit.reevaluate": "全年学时重新认定",
    "lti.registered": "登记学习平台的外部工具",
    "lti.forgotten": "停用学习平台的外部工具",
    "lti.linked": "从学习平台认出学员",
    "mapping.link": "对应课程",
    "mapping.unlink": "撤销课程对应",
    "paper.made": "开证明或副本",
    "paper.ended": "收回证明或副本",
    "programmes.imported": "导入项目文件",
    "quarantine.same_person": "认定同一人",
    "quarantine.alias": "认定曾用名",
    "quarantine.waiver": "准予计入",
    "quarantine.take_back": "收回决定",
    "source.connect": "连接来源",
    "source.add": "添加来源",
    "source.change": "修改来源",
    "source.schedule": "改来源的定时",
    "source.renamed": "来源改名",
    "source.paused": "暂停来源",
    "source.resumed": "恢复来源",
    "source.hook": "更换推送密钥",
    "source.accept_missing": "确认来源少了记录",
    "template.draft": "上传证书模板草稿",
    "template.published": "发布证书模板",
    "template.chosen": "选用证书模板",
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
    "email.changed": "修改邮箱",
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
"""Actions in Chinese; whoever reads English reads the word itself. A test compares with what is written."""


_THINGS = {
    "account": "账号", "organisation": "单位", "invitation": "邀请", "learner": "学员", "programme": "项目",
    "source": "来源", "audit": "审计", "mapping": "课程对应", "certificate": "证书", "certificates": "证书",
    "course": "课程", "template": "证书模板", "key": "签名密钥", "file": "文件", "employer": "用人单位",
}  # fmt: skip
_FIELDS = {
    "role": "角色", "organisation": "单位", "email": "邮箱", "name": "名称", "kind": "类别", "uscc": "统一社会信用代码",
    "region": "行政区划", "status_until": "资格到期", "department": "服务的部门", "purpose": "用途", "from": "地址",
    "form": "格式", "events": "条数", "ended": "结束的会话", "invitation": "邀请", "hours": "学时", "title": "名称",
    "state": "状态", "states": "状态", "successors": "换发为", "because": "理由类别", "filing_number": "备案编号",
    "version": "版本", "url": "网址", "token": "令牌", "options": "选项", "allow_private": "允许内网地址",
    "recent_at": "取新的", "full_at": "全面比对", "budget": "每小时最多调用", "scheduled": "定时", "file": "文件",
    "people": "人数", "needed": "须经审批", "programme": "项目", "template": "模板", "lost_factor": "二次验证也丢了",
    "expires_at": "失效时间", "given_by": "谁发的", "until": "到", "begun": "开班", "to": "到", "number": "编号",
    "reason": "理由", "remark": "意见", "code": "代码", "count": "数量",
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
