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
 * Counts and sums of marks for blocks of completion ids, so that an agent sees in seconds where something differs.
 *
 * What the log knows of a completion is believed only as far as course_completions itself still says the same; persons and
 * courses are as they are now. The rest is read one by one.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class digest {
    /** @var int Ids read in one query. */
    private const WINDOW = 50000;

    /**
     * Blocks from one that holds an id.
     *
     * @param int $firstid
     * @param int $blocksize ids in a block
     * @param int $limit blocks to look at
     * @return array{array[], int} blocks that are not empty (first, last, rows, marks); the id to go on from, 0 at the end
     */
    public static function blocks(int $firstid, int $blocksize, int $limit): array {
        global $DB;
        $next = self::next(max($firstid, 1));
        $rows = [];
        $marks = [];
        if ($next) {
            $start = intdiv($next - 1, $blocksize);
            $last = (int) $DB->get_field_sql('SELECT MAX(id) FROM {course_completions}');
            $end = min($last, ($start + $limit) * $blocksize);
            $persons = self::persons();
            $courses = self::courses();
            for ($first = $start * $blocksize + 1; $first <= $end; $first += self::WINDOW) {
                self::add($rows, $marks, $first, min($end, $first + self::WINDOW - 1), $blocksize, $persons, $courses);
            }
            $next = self::next($end + 1);
        }
        $blocks = [];
        ksort($rows);
        foreach ($rows as $block => $count) {
            $first = $block * $blocksize + 1;
            $blocks[] = ['first' => $first, 'last' => $first + $blocksize - 1, 'rows' => $count, 'marks' => $marks[$block]];
        }
        return [$blocks, $next];
    }

    /**
     * The first completion from an id on.
     *
     * @param int $id
     * @return int its id, 0 for none
     */
    private static function next(int $id): int {
        global $DB;
        $ids = $DB->get_records_sql(
            'SELECT cc.id FROM {course_completions} cc WHERE cc.id >= ? AND ' . reader::COMPLETED . ' ORDER BY cc.id',
            [$id],
            0,
            1
        );
        return (int) key($ids);
    }

    /**
     * Adds the completions of a range of ids to the blocks.
     *
     * @param int[] $rows by block
     * @param int[] $marks by block
     * @param int $first
     * @param int $last
     * @param int $blocksize
     * @param int[] $persons
     * @param int[] $courses
     */
    private static function add(
        array &$rows,
        array &$marks,
        int $first,
        int $last,
        int $blocksize,
        array $persons,
        array $courses
    ): void {
        global $DB;
        $alone = [];
        $recordset = $DB->get_recordset_sql(
            'SELECT cc.id, cc.userid, cc.course, k.own
               FROM {course_completions} cc
          LEFT JOIN {local_xueshi_known} k
                 ON k.completionid = cc.id AND k.userid = cc.userid AND k.courseid = cc.course
                    AND k.timecompleted = cc.timecompleted AND k.timeenrolled = cc.timeenrolled
                    AND k.timestarted = cc.timestarted
              WHERE cc.id BETWEEN ? AND ? AND ' . reader::COMPLETED,
            [$first, $last]
        );
        foreach ($recordset as $row) {
            $block = intdiv($row->id - 1, $blocksize);
            if ($row->own !== null && isset($persons[$row->userid], $courses[$row->course])) {
                $mark = completion::mark((int) $row->own, $persons[$row->userid], $courses[$row->course]);
                $rows[$block] = ($rows[$block] ?? 0) + 1;
                $marks[$block] = ($marks[$block] ?? 0) + $mark;
            } else {
                $alone[] = $row->id;
            }
        }
        $recordset->close();
        foreach (array_chunk($alone, 5000) as $ids) {
            foreach (reader::completions(...reader::in($ids)) as $id => $completion) {
                $block = intdiv($id - 1, $blocksize);
                $rows[$block] = ($rows[$block] ?? 0) + 1;
                $marks[$block] = ($marks[$block] ?? 0) + $completion['mark'];
            }
        }
    }

    /**
     * The persons' parts of the marks.
     *
     * @return int[] by account
     */
    private static function persons(): array {
        global $DB;
        [$identity, $join, $params] = reader::identity('u.id');
        $hashes = [];
        $recordset = $DB->get_recordset_sql(
            "SELECT u.id AS u_id, u.username AS u_username, u.idnumber AS u_idnumber, $identity AS u_identity,
                    u.lastname AS u_lastname, u.firstname AS u_firstname, u.deleted AS u_deleted, u.suspended AS u_suspended
               FROM {user} u
                    $join
              WHERE u.deleted = 0",
            $params
        );
        foreach ($recordset as $row) {
            $hashes[$row->u_id] = completion::hash(completion::person($row));
        }
        $recordset->close();
        $deleted = $DB->get_fieldset_sql(
            'SELECT p.userid FROM {local_xueshi_person} p JOIN {user} u ON u.id = p.userid WHERE u.deleted = 1'
        );
        foreach (array_chunk($deleted, 5000) as $userids) {
            foreach (snapshots::persons($userids) as $userid => $row) {
                $hashes[$userid] = completion::hash(completion::person($row));
            }
        }
        return $hashes;
    }

    /**
     * The courses' parts of the marks.
     *
     * @return int[] by course
     */
    private static function courses(): array {
        global $DB;
        $hashes = [];
        $recordset = $DB->get_recordset('course', null, '', 'id, shortname, idnumber, fullname');
        foreach ($recordset as $course) {
            $hashes[$course->id] = completion::hash([$course->shortname, $course->idnumber, $course->fullname]);
        }
        $recordset->close();
        return $hashes;
    }
}
