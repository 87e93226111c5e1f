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
 * The change log: entries with numbers that a reader goes on from.
 *
 * All who write lock the one row of local_xueshi_state until they commit, and take their numbers from it. So numbers
 * are given in the order of commits, and a reader that has seen a number never later finds a lower one that it missed.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class changelog {
    /** @var string Somebody completed a course, or the log notices for the first time that it was completed. */
    public const COMPLETED = 'completed';
    /** @var string Something of a completion is different now. */
    public const CHANGED = 'changed';
    /** @var string The completion was taken away, the course is still there. */
    public const RESET = 'reset';
    /** @var string The course was deleted. */
    public const DELETED = 'deleted';

    /** @var int Entries removed at once. */
    private const PART = 10000;

    /**
     * The log's numbers.
     *
     * @return \stdClass last, cut, pushed, baseline, timecompared
     */
    public static function state(): \stdClass {
        global $DB;
        $states = $DB->get_records('local_xueshi_state', null, 'id', '*', 0, 1);
        return reset($states);
    }

    /**
     * Number of the oldest entry that a reader can still get.
     *
     * @param \stdClass $state
     * @return int 0 when there never was an entry
     */
    public static function first(\stdClass $state): int {
        return $state->last ? $state->cut + 1 : 0;
    }

    /**
     * Does something as the only writer.
     *
     * @param callable $work gets the state, may change it
     * @return mixed what $work returns
     */
    public static function exclusively(callable $work) {
        global $DB;
        $transaction = $DB->start_delegated_transaction();
        try {
            $DB->execute('UPDATE {local_xueshi_state} SET last = last');
            $state = self::state();
            $before = clone $state;
            $result = $work($state);
            if ($state != $before) {
                $DB->update_record('local_xueshi_state', $state);
            }
            $transaction->allow_commit();
        } catch (\Throwable $e) {
            $transaction->rollback($e instanceof \Exception ? $e : new \Exception($e->getMessage(), 0, $e));
        }
        return $result;
    }

    /**
     * Writes entries. Only within {@see exclusively}.
     *
     * @param \stdClass $state
     * @param array[] $entries kind, completionid, userid, oldusername, oldcourseshortname, snapshot
     */
    public static function add(\stdClass $state, array $entries): void {
        global $DB;
        $now = time();
        foreach ($entries as $i => $entry) {
            $entries[$i] = $entry + ['seq' => ++$state->last, 'timenoticed' => $now];
        }
        $DB->insert_records('local_xueshi_change', $entries);
    }

    /**
     * What happened after a number. Of several entries of one completion the newest is told, in its place.
     *
     * @param int $after
     * @param int $limit entries to look at; fewer come out when a completion has several
     * @param int $last number of the newest entry to tell
     * @return array{array[], bool} completions with sequence, kind, oldusername and oldcourseshortname; whether there is more
     */
    public static function read(int $after, int $limit, int $last): array {
        global $DB;
        do {
            $entries = $DB->get_records_select(
                'local_xueshi_change',
                'seq > ? AND seq <= ?',
                [$after, $last],
                'seq',
                '*',
                0,
                $limit + 1
            );
            $more = count($entries) > $limit;
            $entries = array_slice($entries, 0, $limit);
            if (!$entries) {
                return [[], false];
            }
            $after = (int) end($entries)->seq;
            $changes = self::tell(self::newest($entries));
            // A page may be empty when all its completions are gone, which a later entry tells.
        } while (!$changes && $more);
        return [$changes, $more];
    }

    /**
     * Removes entries that are older than the setting says. The newest one always stays.
     *
     * @return int how many
     */
    public static function trim(): int {
        global $DB;
        $retention = (int) get_config('local_xueshi', 'retention');
        if ($retention <= 0) {
            return 0;
        }
        $where = 'timenoticed < ? AND seq < ?';
        $cut = (int) $DB->get_field_select(
            'local_xueshi_change',
            'MAX(seq)',
            $where,
            [time() - $retention, self::state()->last]
        );
        $removed = 0;
        // In parts, so that nobody waits long for the log. Where a clock was set back, what lies below the cut goes as well.
        while ($first = (int) $DB->get_field_select('local_xueshi_change', 'MIN(seq)', 'seq <= ?', [$cut])) {
            $removed += self::exclusively(function ($state) use ($DB, $cut, $first) {
                $upto = min($cut, $first + self::PART - 1);
                $count = $DB->count_records_select('local_xueshi_change', 'seq <= ?', [$upto]);
                $DB->delete_records_select('local_xueshi_change', 'seq <= ?', [$upto]);
                $state->cut = max((int) $state->cut, $upto);
                return $count;
            });
        }
        return $removed;
    }

    /**
     * One entry for each completion.
     *
     * @param \stdClass[] $entries by number
     * @return \stdClass[] by completion, in the order of their numbers
     */
    private static function newest(array $entries): array {
        $newest = [];
        foreach ($entries as $entry) {
            $earlier = $newest[$entry->completionid] ?? null;
            unset($newest[$entry->completionid]);
            if ($earlier) {
                // A reader knows the completion by the names from before the page.
                $entry->oldusername = (string) $earlier->oldusername !== '' ? $earlier->oldusername : $entry->oldusername;
                $entry->oldcourseshortname = (string) $earlier->oldcourseshortname !== ''
                    ? $earlier->oldcourseshortname : $entry->oldcourseshortname;
                if ($entry->kind === self::CHANGED && $earlier->kind === self::COMPLETED) {
                    $entry->kind = self::COMPLETED;
                }
            }
            $newest[$entry->completionid] = $entry;
        }
        return $newest;
    }

    /**
     * Entries with their completions: as they are now, or, when they are gone, as they last were.
     *
     * @param \stdClass[] $entries by completion
     * @return array[]
     */
    private static function tell(array $entries): array {
        $live = array_keys(array_filter($entries, function ($entry) {
            return $entry->snapshot === null;
        }));
        $completions = [];
        foreach (array_chunk($live, 1000) as $ids) {
            $completions += reader::completions(...reader::in($ids));
        }
        $changes = [];
        foreach ($entries as $id => $entry) {
            $completion = $entry->snapshot === null ? ($completions[$id] ?? null) : json_decode($entry->snapshot, true);
            if (!$completion) {
                continue; // Gone since then; a later entry tells.
            }
            $oldusername = (string) $entry->oldusername;
            $oldcourseshortname = (string) $entry->oldcourseshortname;
            $changes[] = $completion + [
                'sequence' => (int) $entry->seq,
                'kind' => $entry->kind,
                'oldusername' => $oldusername === $completion['username'] ? '' : $oldusername,
                'oldcourseshortname' => $oldcourseshortname === $completion['courseshortname'] ? '' : $oldcourseshortname,
            ];
        }
        return $changes;
    }
}
