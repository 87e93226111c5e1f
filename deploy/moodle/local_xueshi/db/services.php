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
 * External functions, and a service that holds what an agent needs.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

$functions = [
    'local_xueshi_get_completions' => [
        'classname' => 'local_xueshi\external\get_completions',
        'methodname' => 'execute',
        'description' => 'Course completions with person, course and grade, in pages by time of completion.',
        'type' => 'read',
        'capabilities' => 'local/xueshi:read',
    ],
    'local_xueshi_get_digest' => [
        'classname' => 'local_xueshi\external\get_digest',
        'methodname' => 'execute',
        'description' => 'For each block of completion ids, how many completions there are and the sum of their marks.',
        'type' => 'read',
        'capabilities' => 'local/xueshi:read',
    ],
    'local_xueshi_get_changes' => [
        'classname' => 'local_xueshi\external\get_changes',
        'methodname' => 'execute',
        'description' => 'What happened to course completions after a sequence number: completed, changed, reset, deleted.',
        'type' => 'read',
        'capabilities' => 'local/xueshi:read',
    ],
];

$services = [
    'xueshi' => [
        'shortname' => 'xueshi',
        'functions' => [
            'core_webservice_get_site_info',
            'core_course_get_courses_by_field',
            'local_xueshi_get_completions',
            'local_xueshi_get_digest',
            'local_xueshi_get_changes',
        ],
        'requiredcapability' => 'local/xueshi:read',
        'restrictedusers' => 1,
        'enabled' => 1,
        'downloadfiles' => 0,
        'uploadfiles' => 0,
    ],
];
