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
 * Finds out what is different from what the log last told, and writes it to the log.
 *
 * Looking is done without a lock, in parts, and mostly finds nothing. What differs is looked at again and settled by
 * {@see settle}, as the only writer, so that nothing is told twice and nothing in the wrong order.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class comparison {
    /** @var int Completions looked at in one query. */
    private const WINDOW = 5000;
    /** @var int Completions settled in one transaction; small, because others may wait for it. */
    private const BATCH = 500;
    /** @var string What is remembered of a completion, with its id first. */
    private const FIELDS = 'completionid, userid, courseid, timeenrolled, timestarted, timecompleted, grade, grademax,
        enrolled, username, courseshortname, mark';

    /**
     * Looks at completions of one person.
     *
     * @param int $userid
     * @param int $courseid 0 for all of the person's courses
     * @param bool $gone whether to look for such as are gone, too
     * @return int[] numbers noticed, by kind
     */
    public static function look(int $userid, int $courseid = 0, bool $gone = true): array {
        $params = ['userid' => $userid] + ($courseid ? ['courseid' => $courseid] : []);
        $ids = $gone ? self::gone('k.userid = :userid' . ($courseid ? ' AND k.courseid = :courseid' : ''), $params) : [];
        $different = self::different('cc.userid = :userid' . ($courseid ? ' AND cc.course = :courseid' : ''), $params);
        return self::settle_all(array_merge($ids, $different));
    }

    /**
     * Looks at all completions of a course.
     *
     * @param int $courseid
     * @return int[] numbers noticed, by kind
     */
    public static function look_at_course(int $courseid): array {
        global $DB;
        $noticed = self::settle_all(self::gone('k.courseid = :courseid', ['courseid' => $courseid]));
        $params = ['courseid' => $courseid, 'after' => 0];
        do {
            $where = 'course = :courseid AND id > :after';
            $ids = array_keys($DB->get_records_select('course_completions', $where, $params, 'id', 'id', 0, self::WINDOW));
            if ($ids) {
                $noticed = self::sum($noticed, self::settle_all(self::different(...reader::in($ids))));
                $params['after'] = end($ids);
            }
        } while ($ids);
        return $noticed;
    }

    /**
     * Looks at all completions. The first time, those that were there before the plugin are taken over without being told.
     *
     * @return int[]|null numbers noticed, by kind; null when another comparison is under way
     */
    public static function all(): ?array {
        global $DB;
        $lock = \core\lock\lock_config::get_lock_factory('local_xueshi')->get_lock('compare', 0, 6 * HOURSECS);
        if (!$lock) {
            return null;
        }
        try {
            $noticed = [];
            $last = (int) $DB->get_field_sql('SELECT MAX(completionid) FROM {local_xueshi_known}');
            for ($first = 1; $first <= $last; $first += self::WINDOW * 10) {
                $window = ['first' => $first, 'last' => $first + self::WINDOW * 10 - 1];
                $gone = self::gone('k.completionid BETWEEN :first AND :last', $window);
                $noticed = self::sum($noticed, self::settle_all($gone));
            }
            $baseline = (int) changelog::state()->baseline;
            $last = (int) $DB->get_field_sql('SELECT MAX(id) FROM {course_completions}');
            for ($first = 1; $first <= $last; $first += self::WINDOW) {
                $window = ['first' => $first, 'last' => $first + self::WINDOW - 1];
                $different = self::different('cc.id BETWEEN :first AND :last', $window);
                $noticed = self::sum($noticed, self::settle_all($different, $baseline));
            }
            changelog::exclusively(function ($state) {
                $state->baseline = 0;
                $state->timecompared = time();
            });
            return $noticed;
        } finally {
            $lock->release();
        }
    }

    /**
     * Completions that differ from what the log knows, or are not known to it.
     *
     * @param string $where a condition on cc
     * @param array $params
     * @return int[] ids
     */
    private static function different(string $where, array $params): array {
        $rows = reader::rows($where, $params);
        if ($rows) {
            reader::add_live($rows, $where, $params);
        }
        $ids = [];
        foreach ($rows as $row) {
            if ($row->known === null || completion::from_row($row)['mark'] !== (int) $row->knownmark) {
                $ids[] = (int) $row->id;
            }
        }
        return $ids;
    }

    /**
     * Completions that the log knows and that are no more.
     *
     * @param string $where a condition on k
     * @param array $params
     * @return int[] ids
     */
    private static function gone(string $where, array $params): array {
        global $DB;
        return $DB->get_fieldset_sql(
            "SELECT k.completionid
               FROM {local_xueshi_known} k
          LEFT JOIN {course_completions} cc ON cc.id = k.completionid AND " . reader::COMPLETED . "
              WHERE cc.id IS NULL AND $where",
            $params
        );
    }

    /**
     * Settles any number of completions.
     *
     * @param int[] $ids
     * @param int $baseline completions up to this id are taken over without being told when they were not known
     * @return int[] numbers noticed, by kind
     */
    private static function settle_all(array $ids, int $baseline = 0): array {
        $noticed = [];
        foreach (array_chunk($ids, self::BATCH) as $batch) {
            $noticed = self::sum($noticed, self::settle($batch, $baseline));
        }
        if (array_diff_key($noticed, ['known' => 0])) {
            push::queue();
        }
        return $noticed;
    }

    /**
     * Writes what is different to the log, and remembers how things are now.
     *
     * @param int[] $ids
     * @param int $baseline
     * @return int[] numbers noticed, by kind
     */
    private static function settle(array $ids, int $baseline): array {
        return changelog::exclusively(function ($state) use ($ids, $baseline) {
            global $DB;
            $again = self::successors($ids);
            $ids = array_unique(array_merge($ids, $again));
            [$in] = reader::in($ids);
            $rows = reader::rows($in, []);
            reader::add_live($rows, $in, []);
            [$in] = reader::in($ids, 'completionid');
            $known = $DB->get_records_select('local_xueshi_known', $in, null, '', self::FIELDS);
            $entries = self::farewell(array_diff_key($known, $rows));
            $noticed = array_count_values(array_column($entries, 'kind'));
            $remember = [];
            foreach ($rows as $id => $row) {
                $completion = completion::from_row($row);
                $before = $known[$id] ?? null;
                if ($before && (int) $before->mark === $completion['mark'] && !in_array($id, $again)) {
                    continue;
                }
                $remember[$id] = self::known($row, $completion);
                if (!$before && $id <= $baseline) {
                    $noticed['known'] = ($noticed['known'] ?? 0) + 1;
                    continue;
                }
                $kind = $before ? changelog::CHANGED : changelog::COMPLETED;
                $noticed[$kind] = ($noticed[$kind] ?? 0) + 1;
                $entries[] = self::entry($kind, $completion, $before);
            }
            snapshots::keep(array_intersect_key($rows, $remember));
            $stale = array_keys(array_diff_key($known, $rows) + array_intersect_key($known, $remember));
            if ($stale) {
                $DB->delete_records_list('local_xueshi_known', 'completionid', $stale);
            }
            $DB->insert_records('local_xueshi_known', $remember);
            changelog::add($state, $entries);
            return $noticed;
        });
    }

    /**
     * Completions that came in the place of ones that are gone: somebody completed the course again after a reset.
     * They are told after it, because for the agent the two are one.
     *
     * @param int[] $ids
     * @return int[]
     */
    private static function successors(array $ids): array {
        global $DB;
        [$in] = reader::in($ids, 'k.completionid');
        return $DB->get_fieldset_sql(
            "SELECT cc.id
               FROM {local_xueshi_known} k
               JOIN {course_completions} cc ON cc.userid = k.userid AND cc.course = k.courseid AND cc.id <> k.completionid
              WHERE $in AND " . reader::COMPLETED
        );
    }

    /**
     * Entries for completions that are gone.
     *
     * @param \stdClass[] $known by completion
     * @return array[]
     */
    private static function farewell(array $known): array {
        global $DB;
        if (!$known) {
            return [];
        }
        $persons = snapshots::persons(array_column($known, 'userid'));
        $courses = snapshots::courses(array_column($known, 'courseid'));
        $existing = $DB->get_records_list('course', 'id', array_column($known, 'courseid'), '', 'id');
        $entries = [];
        foreach ($known as $id => $was) {
            $row = clone $was;
            $row->id = $id;
            foreach ((array) $persons[$was->userid] + (array) $courses[$was->courseid] as $k => $v) {
                $row->$k = $v;
            }
            $completion = completion::from_row($row);
            // The names that the agent knows it by.
            $completion['username'] = (string) $was->username;
            $completion['courseshortname'] = (string) $was->courseshortname;
            $kind = isset($existing[$was->courseid]) ? changelog::RESET : changelog::DELETED;
            $entries[] = self::entry($kind, $completion, null, json_encode($completion, JSON_UNESCAPED_UNICODE));
        }
        return $entries;
    }

    /**
     * An entry of the log.
     *
     * @param string $kind
     * @param array $completion
     * @param \stdClass|null $before what was known
     * @param string|null $snapshot
     * @return array
     */
    private static function entry(string $kind, array $completion, ?\stdClass $before, ?string $snapshot = null): array {
        $old = function ($name) use ($completion, $before) {
            return $before && (string) $before->$name !== $completion[$name] ? $before->$name : null;
        };
        return [
            'kind' => $kind,
            'completionid' => $completion['id'],
            'userid' => $completion['userid'],
            'oldusername' => $old('username'),
            'oldcourseshortname' => $old('courseshortname'),
            'snapshot' => $snapshot,
        ];
    }

    /**
     * What the log remembers of a completion.
     *
     * @param \stdClass $row
     * @param array $completion the same
     * @return array
     */
    private static function known(\stdClass $row, array $completion): array {
        return [
            'completionid' => $completion['id'],
            'userid' => $completion['userid'],
            'courseid' => $completion['courseid'],
            'timeenrolled' => $completion['timeenrolled'],
            'timestarted' => $completion['timestarted'],
            'timecompleted' => $completion['timecompleted'],
            'grade' => $completion['grade'],
            'grademax' => $completion['grademax'],
            'enrolled' => $completion['enrolled'],
            'username' => $completion['username'],
            'courseshortname' => $completion['courseshortname'],
            'own' => completion::own($row),
            'mark' => $completion['mark'],
        ];
    }

    /**
     * Adds up numbers by kind.
     *
     * @param int[] $one
     * @param int[] $other
     * @return int[]
     */
    private static function sum(array $one, array $other): array {
        foreach ($other as $kind => $number) {
            $one[$kind] = ($one[$kind] ?? 0) + $number;
        }
        return $one;
    }
}
