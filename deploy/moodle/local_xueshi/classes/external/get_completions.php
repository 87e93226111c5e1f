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
use local_xueshi\local\columns;
use local_xueshi\local\identity;
use local_xueshi\local\reader;

/**
 * Completions in pages, by time of completion.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class get_completions extends completion_structure {
    /** @var int Rows a call at most. */
    private const MAXIMUM = 10000;

    /** @var string The form that an agent gets that knows no other. */
    private const ROWS = 'rows';

    /** @var string The form for many completions. */
    private const COLUMNS = 'columns';

    /**
     * Parameters.
     *
     * @return external_function_parameters
     */
    public static function execute_parameters() {
        return new external_function_parameters([
            'fromtime' => self::number('Only completions after (fromtime, fromid), in the order of (timecompleted, id)'),
            'fromid' => self::number('See fromtime'),
            'totime' => self::number('Only completions before this time; 0 for no end'),
            'firstid' => self::number('Only completions from this id; 0 for no limit'),
            'lastid' => self::number('Only completions up to this id; 0 for no limit'),
            'limit' => self::number('Completions a call, 1 to 10000; 0 for 5000'),
            'count' => self::number('1 to count all completions that meet the conditions'),
            'form' => new external_value(
                PARAM_ALPHA,
                'rows: a list of completions; columns: the same as one text, which Moodle checks and writes at once',
                VALUE_DEFAULT,
                self::ROWS
            ),
        ]);
    }

    /**
     * Reads a page.
     *
     * @param int $fromtime
     * @param int $fromid
     * @param int $totime
     * @param int $firstid
     * @param int $lastid
     * @param int $limit
     * @param int $count
     * @param string $form
     * @return array
     */
    public static function execute(
        $fromtime = 0,
        $fromid = 0,
        $totime = 0,
        $firstid = 0,
        $lastid = 0,
        $limit = 0,
        $count = 0,
        $form = self::ROWS
    ) {
        global $DB;
        $asked = self::validate_parameters(self::execute_parameters(), [
            'fromtime' => $fromtime, 'fromid' => $fromid, 'totime' => $totime, 'firstid' => $firstid, 'lastid' => $lastid,
            'limit' => $limit, 'count' => $count, 'form' => $form,
        ]);
        self::authorise();
        self::within('limit', $asked['limit'], 0, self::MAXIMUM);
        if (!in_array($asked['form'], [self::ROWS, self::COLUMNS], true)) {
            throw new \invalid_parameter_exception('form must be rows or columns');
        }
        $limit = $asked['limit'] ?: 5000;
        [$where, $params] = self::condition($asked);
        // The number is read before the rows: what happens in between has a higher one and is told again.
        $sequence = (int) changelog::state()->last;
        $total = -1;
        if ($asked['count']) {
            $total = $DB->count_records_sql(
                'SELECT COUNT(*) FROM {course_completions} cc WHERE ' . reader::COMPLETED . " AND $where",
                $params
            );
        }
        $completions = reader::completions($where, $params, 'cc.timecompleted, cc.id', $limit + 1);
        $more = count($completions) > $limit;
        $completions = array_slice($completions, 0, $limit);
        [$shortname, $name] = identity::described();
        return [
            'servertime' => time(),
            'sequence' => $sequence,
            'identityfield' => ['shortname' => $shortname, 'name' => $name],
            'total' => $total,
            'more' => $more,
        ] + ($asked['form'] === self::COLUMNS
            ? ['columns' => columns::text($completions)]
            : ['completions' => $completions]);
    }

    /**
     * What is asked for, in SQL.
     *
     * @param int[] $asked
     * @return array{string, array}
     */
    private static function condition(array $asked): array {
        $where = ['cc.timecompleted >= :fromtime', '(cc.timecompleted > :sametime OR cc.id > :fromid)'];
        $params = ['fromtime' => $asked['fromtime'], 'sametime' => $asked['fromtime'], 'fromid' => $asked['fromid']];
        foreach (['totime' => 'cc.timecompleted <', 'firstid' => 'cc.id >=', 'lastid' => 'cc.id <='] as $name => $test) {
            if ($asked[$name]) {
                $where[] = "$test :$name";
                $params[$name] = $asked[$name];
            }
        }
        return [implode(' AND ', $where), $params];
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
            'identityfield' => new external_single_structure([
                'shortname' => new external_value(PARAM_RAW, 'Short name of the field with the identity number; empty for none'),
                'name' => new external_value(PARAM_RAW, 'Its name'),
            ]),
            'total' => new external_value(PARAM_INT, 'How many completions meet the conditions; -1 when not counted'),
            'more' => new external_value(PARAM_BOOL, 'Whether there are more'),
            'completions' => new external_multiple_structure(self::completion(), 'In the form rows', VALUE_OPTIONAL),
            'columns' => new external_value(
                PARAM_RAW,
                'In the form columns: JSON, by the names of a completion\'s values all of them in order (a list; texts also as ' .
                    'one text, a line for each; flags as the places of those that are set, from 0); courses: what they say, ' .
                    'each once; course: the place of each completion\'s course among them',
                VALUE_OPTIONAL
            ),
        ]);
    }
}
