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

/**
 * Tells the agent that there is something to fetch. When it fails, Moodle tries again, later each time.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class push extends \core\task\adhoc_task {
    /**
     * The name that administrators see.
     *
     * @return string
     */
    public function get_name() {
        return get_string('taskpush', 'local_xueshi');
    }

    /**
     * Sends.
     */
    public function execute() {
        $status = \local_xueshi\local\push::send();
        mtrace('  ' . ($status ? "answered with {$status}" : 'nothing to tell'));
    }
}
