<?php
// This file is part of Moodle - http://moodle.org/
//
// Moodle is free software: you can redistribute it and/or modify
// it under the terms of the GNU General Public License as published by
// the Free Software Foundation, either version 3 of the License, or
// (at your option) any later version.
//
// Moodle is distributed in the hope that it will be useful,
// but WITHOUT ANY WARRANTY; without even the implied warranty of
// MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
// GNU General Public License for more details.
//
// You should have received a copy of the GNU General Public License
// along with Moodle.  If not, see <http://www.gnu.org/licenses/>.

/**
 * Simplified Chinese strings.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['errorpush'] = '学时代理未接受通知：{$a}';
$string['hooksecret'] = '通知密钥';
$string['hooksecret_desc'] = '代理与本插件共用的密钥，通知以此签名（HMAC-SHA256）。未填写时不发送。';
$string['hookurl'] = '通知地址';
$string['hookurl_desc'] = '可选。代理接收通知的地址，例如 https://xueshi.example.cn/hooks/base1。通知只说明有新内容可取，不含内容和人员信息；不填写时，代理按自己的时间来取。';
$string['identityfield'] = '身份证号字段';
$string['identityfield_desc'] = '存放人员身份证号的字段。删除账号时 Moodle 会清空该字段，因此完成课程时会一并留存。';
$string['identitynone'] = '无';
$string['pluginname'] = '学时：继续教育结业数据';
$string['privacy:metadata:agent'] = '继续教育学时系统的代理，读取结业记录用于登记学时和制发证书。';
$string['privacy:metadata:change'] = '结业记录的变更日志。结业记录被重置或课程被删除时，日志保留其原貌，因为已登记的学时和证书以此为据。超过站点设定的保留期限后删除。';
$string['privacy:metadata:completionid'] = '结业记录的编号';
$string['privacy:metadata:courseid'] = '完成的课程';
$string['privacy:metadata:courseshortname'] = '课程简称';
$string['privacy:metadata:enrolled'] = '是否仍在课程中';
$string['privacy:metadata:firstname'] = '名';
$string['privacy:metadata:grade'] = '课程总成绩';
$string['privacy:metadata:grademax'] = '课程总成绩的满分';
$string['privacy:metadata:identity'] = '身份证号';
$string['privacy:metadata:idnumber'] = '账号的编号';
$string['privacy:metadata:kind'] = '发生了什么：完成、变更、重置或删除';
$string['privacy:metadata:known'] = '每条结业记录最近一次的样子，用于发现变更。退课或删除账号清除成绩后，此处的成绩仍保留。';
$string['privacy:metadata:lastname'] = '姓';
$string['privacy:metadata:oldcourseshortname'] = '变更前的课程简称';
$string['privacy:metadata:oldusername'] = '变更前的用户名';
$string['privacy:metadata:person'] = '完成课程者在账号删除前的姓名和身份证号。结业记录比账号存在更久，本人取得的学时仍须登记到本人名下，因此予以保留。';
$string['privacy:metadata:seq'] = '日志条目的序号';
$string['privacy:metadata:snapshot'] = '结业记录的原貌，含姓名和身份证号';
$string['privacy:metadata:timecompleted'] = '完成课程的时间';
$string['privacy:metadata:timeenrolled'] = '加入课程的时间';
$string['privacy:metadata:timenoticed'] = '发现变更的时间';
$string['privacy:metadata:timestarted'] = '开始学习的时间';
$string['privacy:metadata:userid'] = '所属人员';
$string['privacy:metadata:username'] = '用户名';
$string['privacy:path:local_xueshi_change'] = '结业记录的变更';
$string['privacy:path:local_xueshi_known'] = '结业记录';
$string['privacy:path:local_xueshi_person'] = '人员';
$string['retention'] = '变更日志保留期限';
$string['retention_desc'] = '早于此期限的变更日志条目会被删除；0 表示全部保留。代理若超过此期限未来读取，会改为全面比对。';
$string['taskcompare'] = '将结业记录与变更日志比对';
$string['taskpush'] = '通知代理有新内容可取';
$string['taskrefresh'] = '检查课程的结业记录';
$string['xueshi:read'] = '读取全部结业记录（含身份证号）';
