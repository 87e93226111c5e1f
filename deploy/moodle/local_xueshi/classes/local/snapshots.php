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
 * Persons and courses as they were before they were deleted.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class snapshots {
    /**
     * Keeps the persons and courses of completions. What is left of a deleted account replaces nothing, and an identity
     * number is only replaced by another one.
     *
     * @param \stdClass[] $rows as {@see reader::rows} gives them
     */
    public static function keep(array $rows): void {
        $persons = [];
        $courses = [];
        $known = self::courses(array_column($rows, 'courseid'));
        foreach ($rows as $row) {
            if ($row->p_id === null || (!empty($row->u_id) && !$row->u_deleted)) {
                $persons[$row->userid] = self::person($row);
            }
            $courses[$row->courseid] = [
                'id' => $known[$row->courseid]->snapshot ?? null,
                'courseid' => (int) $row->courseid,
                'courseshortname' => (string) $row->courseshortname,
                'courseidnumber' => (string) $row->courseidnumber,
                'coursefullname' => (string) $row->coursefullname,
                'same' => isset($known[$row->courseid])
                    && (string) $known[$row->courseid]->courseshortname === (string) $row->courseshortname
                    && (string) $known[$row->courseid]->courseidnumber === (string) $row->courseidnumber
                    && (string) $known[$row->courseid]->coursefullname === (string) $row->coursefullname,
            ];
        }
        self::write('local_xueshi_person', $persons);
        self::write('local_xueshi_course', $courses);
    }

    /**
     * Accounts with their snapshots, for completions that are gone.
     *
     * @param int[] $userids
     * @return \stdClass[] the columns u_* and p_* of {@see reader::rows}, by account
     */
    public static function persons(array $userids): array {
        global $DB;
        [$identity, $join, $params] = reader::identity('p.userid');
        [$in] = reader::in($userids, 'p.userid');
        return $DB->get_records_sql(
            "SELECT p.userid, u.id AS u_id, u.username AS u_username, u.idnumber AS u_idnumber, $identity AS u_identity,
                    u.lastname AS u_lastname, u.firstname AS u_firstname, u.deleted AS u_deleted, u.suspended AS u_suspended,
                    p.id AS p_id, p.username AS p_username, p.idnumber AS p_idnumber, p.identity AS p_identity,
                    p.lastname AS p_lastname, p.firstname AS p_firstname
               FROM {local_xueshi_person} p
          LEFT JOIN {user} u ON u.id = p.userid
                    $join
              WHERE $in",
            $params
        );
    }

    /**
     * Courses as last seen.
     *
     * @param int[] $courseids
     * @return \stdClass[] by course
     */
    public static function courses(array $courseids): array {
        global $DB;
        return $DB->get_records_list(
            'local_xueshi_course',
            'courseid',
            array_unique($courseids),
            '',
            'courseid, id AS snapshot, courseshortname, courseidnumber, coursefullname'
        );
    }

    /**
     * The snapshot of a row's account, and whether it is the one that is there.
     *
     * @param \stdClass $row
     * @return array
     */
    private static function person(\stdClass $row): array {
        $person = ['id' => $row->p_id, 'userid' => (int) $row->userid, 'same' => $row->p_id !== null];
        foreach (['username', 'idnumber', 'lastname', 'firstname', 'identity'] as $field) {
            $now = (string) $row->{'u_' . $field};
            $before = (string) $row->{'p_' . $field};
            $person[$field] = $field === 'identity' && $now === '' ? $before : $now;
            $person['same'] = $person['same'] && $person[$field] === $before;
        }
        return $person;
    }

    /**
     * Writes what is new or different.
     *
     * @param string $table
     * @param array[] $records with id (null when new) and same
     */
    private static function write(string $table, array $records): void {
        global $DB;
        $new = [];
        foreach ($records as $record) {
            $same = $record['same'];
            $id = $record['id'];
            unset($record['same']);
            if ($id === null) {
                unset($record['id']);
                $new[] = $record;
            } else if (!$same) {
                $DB->update_record($table, $record);
            }
        }
        $DB->insert_records($table, $new);
    }
}
