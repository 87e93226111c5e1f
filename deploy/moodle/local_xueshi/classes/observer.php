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

namespace local_xueshi;

use local_xueshi\local\comparison;

/**
 * Event observers. An event only says where to look: what happened there is found by comparison.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class observer {
    /**
     * Somebody completed a course.
     *
     * @param \core\event\base $event
     */
    public static function completed(\core\event\base $event): void {
        self::look((int) $event->relateduserid, (int) $event->courseid);
    }

    /**
     * An enrolment or a grade of somebody changed. Most belong to courses that are not completed, and those are let pass.
     * Neither takes a completion away; while a course is being deleted, its completions go first and enrolments after
     * them, and those are told as deleted when the course is.
     *
     * @param \core\event\base $event
     */
    public static function person_in_course(\core\event\base $event): void {
        $where = ['userid' => (int) $event->relateduserid, 'courseid' => (int) $event->courseid];
        if (self::concerns($where)) {
            self::look($where['userid'], $where['courseid'], false);
        }
    }

    /**
     * An account was changed or deleted.
     *
     * @param \core\event\base $event
     */
    public static function person(\core\event\base $event): void {
        self::look((int) ($event->relateduserid ?: $event->objectid));
    }

    /**
     * A whole course changed. It may have very many completions, so cron looks at it, not the request of who changed it.
     *
     * @param \core\event\base $event
     */
    public static function course(\core\event\base $event): void {
        $courseid = (int) ($event->courseid ?: $event->objectid);
        if ($event->eventname === '\core\event\course_restored' || self::concerns(['courseid' => $courseid])) {
            task\refresh::queue($courseid);
        }
    }

    /**
     * Looks at completions of one person now. Whatever goes wrong here must not harm what the person is doing:
     * the scheduled comparison finds what was missed.
     *
     * @param int $userid
     * @param int $courseid 0 for all of the person's courses
     * @param bool $gone whether to look for completions that are gone, too
     */
    public static function look(int $userid, int $courseid = 0, bool $gone = true): void {
        try {
            comparison::look($userid, $courseid, $gone);
        } catch (\Throwable $e) {
            // Its message may have personal data in it, its class has not.
            debugging('local_xueshi: ' . get_class($e) . ' at ' . basename($e->getFile()) . ':' . $e->getLine(), DEBUG_DEVELOPER);
        }
    }

    /**
     * Whether the log knows completions there.
     *
     * @param array $where userid and courseid, or one of them
     * @return bool
     */
    private static function concerns(array $where): bool {
        global $DB;
        return $DB->record_exists('local_xueshi_known', $where);
    }
}
