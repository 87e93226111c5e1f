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

namespace local_xueshi\external;

defined('MOODLE_INTERNAL') || die();
require_once(__DIR__ . '/../../externalcompat.php');

use core_external\external_function_parameters;
use core_external\external_multiple_structure;
use core_external\external_single_structure;
use core_external\external_value;
use local_xueshi\local\changelog;

/**
 * What happened to completions after a sequence number.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class get_changes extends completion_structure {
    /** @var int Entries a call at most. */
    private const MAXIMUM = 10000;

    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters() {
        return new external_function_parameters([
            'after' => self::number('Only entries with a higher number'),
            'limit' => self::number('Entries a call, 1 to 10000', 5000),
        ]);
    }

    /**
     * Reads a page of the log.
     *
     * @param int $after
     * @param int $limit
     * @return array
     */
    public static function execute($after = 0, $limit = 5000) {
        $asked = self::validate_parameters(self::execute_parameters(), ['after' => $after, 'limit' => $limit]);
        self::authorise();
        self::within('limit', $asked['limit'], 1, self::MAXIMUM);
        $state = changelog::state();
        [$changes, $more] = changelog::read($asked['after'], $asked['limit'], (int) $state->last);
        return [
            'servertime' => time(),
            'first' => changelog::first($state),
            'last' => (int) $state->last,
            'more' => $more,
            'changes' => $changes,
        ];
    }

    /**
     * The answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns() {
        return new external_single_structure([
            'servertime' => new external_value(PARAM_INT, 'Unix time'),
            'first' => new external_value(PARAM_INT, 'Number of the oldest entry; a reader that stopped before it missed some'),
            'last' => new external_value(PARAM_INT, 'Number of the newest entry'),
            'more' => new external_value(PARAM_BOOL, 'Whether there are more'),
            'changes' => new external_multiple_structure(self::completion([
                'sequence' => new external_value(PARAM_INT, 'Number of the entry'),
                'kind' => new external_value(PARAM_ALPHA, 'completed, changed, reset or deleted'),
                'oldusername' => new external_value(PARAM_RAW, 'Username last told, when it is another one now'),
                'oldcourseshortname' => new external_value(PARAM_RAW, 'Short name last told, when it is another one now'),
            ])),
        ]);
    }
}
