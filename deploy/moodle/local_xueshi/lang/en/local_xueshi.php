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
 * English strings.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$string['errorpush'] = 'The agent did not take the notice: {$a}';
$string['hooksecret'] = 'Hook secret';
$string['hooksecret_desc'] = 'The secret that agent and plugin share; notices are signed with it (HMAC-SHA256). Without it nothing is sent.';
$string['hookurl'] = 'Hook address';
$string['hookurl_desc'] = 'Optional. The agent\'s address for notices, such as https://xueshi.example.cn/hooks/base1. The agent is told that there is something to fetch, never what or whose; without it the agent asks at its own times.';
$string['identityfield'] = 'Identity number';
$string['identityfield_desc'] = 'The field that holds people\'s identity numbers. It is kept with each completion, because Moodle wipes it when an account is deleted.';
$string['identitynone'] = 'None';
$string['pluginname'] = 'Xueshi: completions for continuing education';
$string['privacy:metadata:agent'] = 'The agent of the continuing education hours system, which reads completions to credit hours and issue certificates.';
$string['privacy:metadata:change'] = 'The log of what happened to completions. When a completion is reset or its course deleted, the log keeps how it was, because credited hours and certificates rest on it. Entries are removed when they are older than the site\'s setting.';
$string['privacy:metadata:completionid'] = 'Which completion it is';
$string['privacy:metadata:courseid'] = 'Which course was completed';
$string['privacy:metadata:courseshortname'] = 'Short name of the course';
$string['privacy:metadata:enrolled'] = 'Whether the person is still enrolled';
$string['privacy:metadata:firstname'] = 'Given name';
$string['privacy:metadata:grade'] = 'Course total';
$string['privacy:metadata:grademax'] = 'Highest possible course total';
$string['privacy:metadata:identity'] = 'Identity number';
$string['privacy:metadata:idnumber'] = 'ID number of the account';
$string['privacy:metadata:kind'] = 'What happened: completed, changed, reset or deleted';
$string['privacy:metadata:known'] = 'Each completion as it was last seen, to notice changes. The grade stays when unenrolling or deleting the account wipes it.';
$string['privacy:metadata:lastname'] = 'Family name';
$string['privacy:metadata:oldcourseshortname'] = 'Short name of the course before it changed';
$string['privacy:metadata:oldusername'] = 'Username before it changed';
$string['privacy:metadata:person'] = 'Who completed something: names and identity number as they were before the account was deleted. They are kept because completions outlive accounts: hours that a person earned must still be credited to that person.';
$string['privacy:metadata:seq'] = 'Number of the entry';
$string['privacy:metadata:snapshot'] = 'The completion as it was, with names and identity number';
$string['privacy:metadata:timecompleted'] = 'When the course was completed';
$string['privacy:metadata:timeenrolled'] = 'When the person was enrolled';
$string['privacy:metadata:timenoticed'] = 'When it was noticed';
$string['privacy:metadata:timestarted'] = 'When the person started';
$string['privacy:metadata:userid'] = 'Whose it is';
$string['privacy:metadata:username'] = 'Username';
$string['privacy:path:local_xueshi_change'] = 'Changes of completions';
$string['privacy:path:local_xueshi_known'] = 'Completions';
$string['privacy:path:local_xueshi_person'] = 'Person';
$string['retention'] = 'Keep the change log for';
$string['retention_desc'] = 'Entries of the change log that are older are removed; 0 keeps them all. An agent that has not asked for longer than this compares everything instead.';
$string['taskcompare'] = 'Compare completions with the change log';
$string['taskpush'] = 'Tell the agent that there is something to fetch';
$string['taskrefresh'] = 'Look at the completions of a course';
$string['xueshi:read'] = 'Read all completions with identity numbers';
