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

namespace local_xueshi\external;

defined('MOODLE_INTERNAL') || die();
require_once(__DIR__ . '/../../externalcompat.php');

use core_external\external_api;
use core_external\external_single_structure;
use core_external\external_value;

/**
 * What the three external functions have in common. Texts are as Moodle stores them.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
abstract class completion_structure extends external_api {
    /**
     * Refuses callers without the capability, and gives long readings the time and memory they need.
     */
    protected static function authorise(): void {
        $context = \context_system::instance();
        self::validate_context($context);
        require_capability('local/xueshi:read', $context);
        \core_php_time_limit::raise(600);
        raise_memory_limit(MEMORY_EXTRA);
    }

    /**
     * A parameter that may be left out.
     *
     * @param string $description
     * @param int $default
     * @return external_value
     */
    protected static function number(string $description, int $default = 0): external_value {
        return new external_value(PARAM_INT, $description, VALUE_DEFAULT, $default);
    }

    /**
     * Refuses a number outside its range.
     *
     * @param string $name
     * @param int $value
     * @param int $min
     * @param int $max
     */
    protected static function within(string $name, int $value, int $min, int $max): void {
        if ($value < $min || $value > $max) {
            throw new \invalid_parameter_exception("{$name} must be from {$min} to {$max}");
        }
    }

    /**
     * A completion as it is answered.
     *
     * @param external_value[] $more further fields
     * @return external_single_structure
     */
    protected static function completion(array $more = []): external_single_structure {
        return new external_single_structure([
            'id' => new external_value(PARAM_INT, 'Id of the completion'),
            'userid' => new external_value(PARAM_INT, 'Id of the account'),
            'courseid' => new external_value(PARAM_INT, 'Id of the course'),
            'username' => new external_value(PARAM_RAW, 'Username; of a deleted account the one that it had'),
            'idnumber' => new external_value(PARAM_RAW, 'ID number of the account'),
            'identity' => new external_value(PARAM_RAW, 'Identity number, from the field that the setting names'),
            'lastname' => new external_value(PARAM_RAW, 'Family name'),
            'firstname' => new external_value(PARAM_RAW, 'Given name'),
            'deleted' => new external_value(PARAM_BOOL, 'Whether the account is deleted'),
            'suspended' => new external_value(PARAM_BOOL, 'Whether the account is suspended'),
            'enrolled' => new external_value(PARAM_INT, '0 not enrolled any more, 1 active, 2 only suspended enrolments'),
            'courseshortname' => new external_value(PARAM_RAW, 'Short name of the course'),
            'courseidnumber' => new external_value(PARAM_RAW, 'ID number of the course'),
            'coursefullname' => new external_value(PARAM_RAW, 'Full name of the course'),
            'timeenrolled' => new external_value(PARAM_INT, 'Unix time, 0 for none'),
            'timestarted' => new external_value(PARAM_INT, 'Unix time, 0 for none'),
            'timecompleted' => new external_value(PARAM_INT, 'Unix time'),
            'grade' => new external_value(PARAM_RAW, 'Course total such as 90.00, empty for none'),
            'grademax' => new external_value(PARAM_RAW, 'Highest possible course total, empty without a grade'),
            'mark' => new external_value(PARAM_INT, 'Changes when anything above changes'),
        ] + $more);
    }
}
