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

use local_xueshi\local\changelog;
use local_xueshi\local\comparison;
use local_xueshi\local\push;

/**
 * Notices what no event tells: raw writes, resets of completion, restores.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class compare extends \core\task\scheduled_task {
    /**
     * The name that administrators see.
     *
     * @return string
     */
    public function get_name() {
        return get_string('taskcompare', 'local_xueshi');
    }

    /**
     * Compares all completions, then removes what the log need not keep.
     */
    public function execute() {
        self::report(comparison::all());
        mtrace('  removed from the log: ' . changelog::trim());
        // For what was noticed while the last push was under way.
        $state = changelog::state();
        if ($state->pushed < $state->last) {
            push::queue();
        }
    }

    /**
     * Writes to the task's log what was noticed.
     *
     * @param int[]|null $noticed
     */
    public static function report(?array $noticed): void {
        if ($noticed === null) {
            mtrace('  another comparison is under way');
            return;
        }
        foreach ($noticed as $kind => $count) {
            mtrace("  {$kind}: {$count}");
        }
    }
}
