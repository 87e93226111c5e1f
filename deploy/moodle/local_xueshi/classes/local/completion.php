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

namespace local_xueshi\local;

/**
 * One completion as the agent gets it, made from a row of {@see reader}. Pure: nothing here reads the database.
 *
 * Person and course are as they are now, or, when the account or the course is gone, as they last were. Grade and
 * enrolment are as the change log last knew them; that is what an event or a comparison saw.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class completion {
    /** @var string[] The names of all that a completion says, in the order in which it says it. */
    public const VALUES = [
        'id', 'userid', 'courseid', 'username', 'idnumber', 'identity', 'lastname', 'firstname', 'deleted', 'suspended', 'enrolled',
        'courseshortname', 'courseidnumber', 'coursefullname', 'timeenrolled', 'timestarted', 'timecompleted', 'grade', 'grademax',
        'mark',
    ];

    /** @var int Marks are smaller than this. */
    private const MODULUS = 0x100000000;

    /**
     * The person's part, from columns u_* (account, u_id empty when there is none) and p_* (snapshot).
     *
     * @param \stdClass $row
     * @return array username, idnumber, identity, lastname, firstname, deleted, suspended
     */
    public static function person(\stdClass $row): array {
        $gone = empty($row->u_id) || $row->u_deleted;
        $from = $gone && !empty($row->p_id) ? 'p_' : 'u_';
        return [
            'username' => (string) $row->{$from . 'username'},
            'idnumber' => (string) $row->{$from . 'idnumber'},
            'identity' => (string) $row->{$from . 'identity'},
            'lastname' => (string) $row->{$from . 'lastname'},
            'firstname' => (string) $row->{$from . 'firstname'},
            'deleted' => $gone,
            'suspended' => (bool) $row->u_suspended,
        ];
    }

    /**
     * The whole completion.
     *
     * @param \stdClass $row with grade, grademax and enrolled filled in
     * @return array as the external functions describe it
     */
    public static function from_row(\stdClass $row): array {
        $person = self::person($row);
        $course = [
            'courseshortname' => (string) $row->courseshortname,
            'courseidnumber' => (string) $row->courseidnumber,
            'coursefullname' => (string) $row->coursefullname,
        ];
        return [
            'id' => (int) $row->id,
            'userid' => (int) $row->userid,
            'courseid' => (int) $row->courseid,
        ] + $person + [
            'enrolled' => (int) $row->enrolled,
        ] + $course + [
            'timeenrolled' => (int) $row->timeenrolled,
            'timestarted' => (int) $row->timestarted,
            'timecompleted' => (int) $row->timecompleted,
            'grade' => (string) $row->grade,
            'grademax' => (string) $row->grademax,
            'mark' => self::mark(self::own($row), self::hash($person), self::hash($course)),
        ];
    }

    /**
     * The part of the mark that is neither the person's nor the course's.
     *
     * @param \stdClass $row
     * @return int
     */
    public static function own(\stdClass $row): int {
        return crc32("{$row->id}|{$row->userid}|{$row->courseid}|" . (int) $row->timeenrolled . '|' . (int) $row->timestarted .
            '|' . (int) $row->timecompleted . "|{$row->grade}|{$row->grademax}|{$row->enrolled}");
    }

    /**
     * A person's or a course's part of the mark.
     *
     * @param array $part
     * @return int
     */
    public static function hash(array $part): int {
        return crc32(implode("\n", $part));
    }

    /**
     * The mark of a completion: it changes when anything of it changes. Parts are added, so that a digest needs a
     * person's part only once, however much the person completed.
     *
     * @param int $own
     * @param int $person
     * @param int $course
     * @return int 0 <= mark < 2^32
     */
    public static function mark(int $own, int $person, int $course): int {
        return ($own + $person + $course) % self::MODULUS;
    }

    /**
     * A grade as text.
     *
     * @param mixed $value as the database has it; null for none
     * @return string such as 90.00; empty for none
     */
    public static function grade($value): string {
        return $value === null ? '' : number_format((float) $value, 2, '.', '');
    }
}
