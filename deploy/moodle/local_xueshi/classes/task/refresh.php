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

namespace local_xueshi\task;

use local_xueshi\local\comparison;

/**
 * Looks at all completions of a course, or at all there are, soon.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class refresh extends \core\task\adhoc_task {
    /**
     * The name that administrators see.
     *
     * @return string
     */
    public function get_name() {
        return get_string('taskrefresh', 'local_xueshi');
    }

    /**
     * Queues a look, unless the same one waits already.
     *
     * @param int $courseid 0 for all completions
     */
    public static function queue(int $courseid): void {
        $task = new self();
        $task->set_custom_data(['courseid' => $courseid]);
        \local_xueshi\local\waiting::queue($task);
    }

    /**
     * Looks.
     */
    public function execute() {
        $courseid = (int) ($this->get_custom_data()->courseid ?? 0);
        compare::report($courseid ? comparison::look_at_course($courseid) : comparison::all());
    }
}
