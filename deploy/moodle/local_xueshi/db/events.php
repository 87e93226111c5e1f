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
 * Observers. They run after the transaction has ended, so that nothing of ours can undo what people do.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$observers = [
    [
        'eventname' => '\core\event\course_completed',
        'callback' => '\local_xueshi\observer::completed',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\user_enrolment_created',
        'callback' => '\local_xueshi\observer::person_in_course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\user_enrolment_updated',
        'callback' => '\local_xueshi\observer::person_in_course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\user_enrolment_deleted',
        'callback' => '\local_xueshi\observer::person_in_course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\user_graded',
        'callback' => '\local_xueshi\observer::person_in_course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\user_updated',
        'callback' => '\local_xueshi\observer::person',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\user_deleted',
        'callback' => '\local_xueshi\observer::person',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\course_updated',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\course_completion_updated',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\course_reset_ended',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\course_restored',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\course_deleted',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\enrol_instance_updated',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
    [
        'eventname' => '\core\event\enrol_instance_deleted',
        'callback' => '\local_xueshi\observer::course',
        'internal' => false,
    ],
];
