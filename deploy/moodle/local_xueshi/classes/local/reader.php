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
 * Reads completions, with the person, the course and what the log knows of each, in one query.
 *
 * Columns: course_completions' own; u_* the account, p_* its snapshot, course*, known* what the log last told.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class reader {
    /** @var string The completions that count. */
    public const COMPLETED = 'cc.timecompleted > 0';

    /** @var string An enrolment's state: 1 active, 2 suspended. Dates of an enrolment change nothing in what was completed. */
    private const ENROLMENT = 'MIN(CASE WHEN ue.status = 0 AND e.status = 0 THEN 1 ELSE 2 END)';

    /**
     * Completions as rows for {@see completion}, by id.
     *
     * @param string $where a condition on cc, k …
     * @param array $params its named parameters
     * @param string $order
     * @param int $limit rows; 0 for all
     * @return \stdClass[]
     */
    public static function rows(string $where, array $params, string $order = 'cc.id', int $limit = 0): array {
        global $DB;
        [$identity, $join, $more] = self::identity('cc.userid');
        $sql = "SELECT cc.id, cc.userid, cc.course AS courseid, cc.timeenrolled, cc.timestarted, cc.timecompleted,
                       u.id AS u_id, u.username AS u_username, u.idnumber AS u_idnumber, $identity AS u_identity,
                       u.lastname AS u_lastname, u.firstname AS u_firstname, u.deleted AS u_deleted, u.suspended AS u_suspended,
                       p.id AS p_id, p.username AS p_username, p.idnumber AS p_idnumber, p.identity AS p_identity,
                       p.lastname AS p_lastname, p.firstname AS p_firstname,
                       COALESCE(c.shortname, k.courseshortname) AS courseshortname, c.idnumber AS courseidnumber,
                       c.fullname AS coursefullname, k.id AS known, k.mark AS knownmark, k.username AS knownusername,
                       k.courseshortname AS knowncourseshortname, k.grade, k.grademax, k.enrolled
                  FROM {course_completions} cc
             LEFT JOIN {user} u ON u.id = cc.userid
                       $join
             LEFT JOIN {course} c ON c.id = cc.course
             LEFT JOIN {local_xueshi_known} k ON k.completionid = cc.id
             LEFT JOIN {local_xueshi_person} p ON p.userid = cc.userid
                 WHERE " . self::COMPLETED . " AND $where
              ORDER BY $order";
        $rows = [];
        $recordset = $DB->get_recordset_sql($sql, $params + $more, 0, $limit);
        foreach ($recordset as $row) {
            $rows[$row->id] = $row;
        }
        $recordset->close();
        return $rows;
    }

    /**
     * Completions as the agent gets them. Those that the log does not know yet get their grade and enrolment from Moodle.
     *
     * @param string $where
     * @param array $params
     * @param string $order
     * @param int $limit
     * @return array[] by id
     */
    public static function completions(string $where, array $params, string $order = 'cc.id', int $limit = 0): array {
        $rows = self::rows($where, $params, $order, $limit);
        $unknown = array_keys(array_filter($rows, function ($row) {
            return $row->known === null;
        }));
        foreach (array_chunk($unknown, 1000) as $ids) {
            self::add_live($rows, ...self::in($ids));
        }
        return array_map([completion::class, 'from_row'], $rows);
    }

    /**
     * Fills in grade and enrolment as Moodle has them now. A grade that the log knows stays when Moodle has none any more:
     * unenrolling and deleting an account wipe grades, and enrolling again does not bring them back.
     *
     * @param \stdClass[] $rows by id
     * @param string $where which of them, a condition on cc
     * @param array $params
     */
    public static function add_live(array $rows, string $where, array $params): void {
        global $DB;
        $sql = "SELECT cc.id, gg.finalgrade, gi.grademax,
                       (SELECT " . self::ENROLMENT . "
                          FROM {enrol} e
                          JOIN {user_enrolments} ue ON ue.enrolid = e.id AND ue.userid = cc.userid
                         WHERE e.courseid = cc.course) AS enrolled
                  FROM {course_completions} cc
             LEFT JOIN {grade_items} gi ON gi.courseid = cc.course AND gi.itemtype = 'course'
             LEFT JOIN {grade_grades} gg ON gg.itemid = gi.id AND gg.userid = cc.userid
                 WHERE " . self::COMPLETED . " AND $where";
        $recordset = $DB->get_recordset_sql($sql, $params);
        foreach ($recordset as $live) {
            if (!isset($rows[$live->id])) {
                continue;
            }
            $row = $rows[$live->id];
            $row->enrolled = (int) $live->enrolled;
            if ($live->finalgrade !== null) {
                $row->grade = completion::grade($live->finalgrade);
                $row->grademax = completion::grade($live->grademax);
            }
        }
        $recordset->close();
    }

    /**
     * How to read the identity number.
     *
     * @param string $userid SQL of the account's id
     * @return array{string, string, array} expression, join, parameters
     */
    public static function identity(string $userid): array {
        if (identity::shortname() === identity::IDNUMBER) {
            return ['u.idnumber', '', []];
        }
        $field = identity::profile_field();
        if (!$field) {
            return ["''", '', []];
        }
        $join = "LEFT JOIN {user_info_data} d ON d.userid = $userid AND d.fieldid = :identityfield";
        return ['d.data', $join, ['identityfield' => $field->id]];
    }

    /**
     * A condition for certain ids.
     *
     * @param int[] $ids not empty
     * @param string $column
     * @return array{string, array}
     */
    public static function in(array $ids, string $column = 'cc.id'): array {
        // Ids are our own integers: inlined, they need no placeholder each.
        return ["$column IN (" . implode(',', array_map('intval', $ids)) . ')', []];
    }
}
