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
use local_xueshi\local\digest;

/**
 * Counts and sums of marks for blocks of completion ids.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class get_digest extends completion_structure {
    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters() {
        return new external_function_parameters([
            'firstid' => self::number('Begins with the block that holds this id'),
            'blocksize' => self::number('Ids in a block, 100 to 100000', 5000),
            'limit' => self::number('Blocks a call, 1 to 1000', 200),
        ]);
    }

    /**
     * Reads some blocks.
     *
     * @param int $firstid
     * @param int $blocksize
     * @param int $limit
     * @return array
     */
    public static function execute($firstid = 0, $blocksize = 5000, $limit = 200) {
        $asked = self::validate_parameters(self::execute_parameters(), [
            'firstid' => $firstid, 'blocksize' => $blocksize, 'limit' => $limit,
        ]);
        self::authorise();
        self::within('blocksize', $asked['blocksize'], 100, 100000);
        self::within('limit', $asked['limit'], 1, 1000);
        $sequence = (int) changelog::state()->last;
        [$blocks, $next] = digest::blocks($asked['firstid'], $asked['blocksize'], $asked['limit']);
        return ['servertime' => time(), 'sequence' => $sequence, 'blocks' => $blocks, 'nextid' => $next];
    }

    /**
     * The answer.
     *
     * @return external_single_structure
     */
    public static function execute_returns() {
        return new external_single_structure([
            'servertime' => new external_value(PARAM_INT, 'Unix time'),
            'sequence' => new external_value(PARAM_INT, 'Newest number of the change log before the completions were read'),
            'blocks' => new external_multiple_structure(new external_single_structure([
                'first' => new external_value(PARAM_INT, 'First id of the block'),
                'last' => new external_value(PARAM_INT, 'Last id of the block'),
                'rows' => new external_value(PARAM_INT, 'Completions in it'),
                'marks' => new external_value(PARAM_INT, 'Sum of their marks'),
            ])),
            'nextid' => new external_value(PARAM_INT, 'firstid of the next call; 0 when that was the last'),
        ]);
    }
}
