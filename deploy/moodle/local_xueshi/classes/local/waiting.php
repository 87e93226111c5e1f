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
 * Queues ad-hoc tasks, each at most once. Moodle's own check counts a task that is running already, which may have
 * looked before the thing happened that it is queued for.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class waiting {
    /**
     * Queues a task, unless the same one waits for its turn.
     *
     * @param \core\task\adhoc_task $task
     */
    public static function queue(\core\task\adhoc_task $task): void {
        global $DB;
        $waits = $DB->record_exists_select(
            'task_adhoc',
            'classname = :classname AND timestarted IS NULL AND ' . $DB->sql_compare_text('customdata', 255) . ' = :customdata',
            ['classname' => '\\' . get_class($task), 'customdata' => (string) $task->get_custom_data_as_string()]
        );
        if (!$waits) {
            \core\task\manager::queue_adhoc_task($task);
        }
    }
}
