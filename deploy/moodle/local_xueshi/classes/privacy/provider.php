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

namespace local_xueshi\privacy;

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\contextlist;
use core_privacy\local\request\transform;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;

/**
 * What the plugin keeps of people, all in the system context.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class provider implements
    \core_privacy\local\metadata\provider,
    \core_privacy\local\request\core_userlist_provider,
    \core_privacy\local\request\plugin\provider {
    /** @var string[] Tables that hold something of people, and the columns exported. */
    private const TABLES = [
        'local_xueshi_person' => ['username', 'idnumber', 'lastname', 'firstname', 'identity'],
        'local_xueshi_known' => [
            'completionid', 'courseid', 'courseshortname', 'timeenrolled', 'timestarted', 'timecompleted', 'grade', 'grademax',
            'enrolled', 'username',
        ],
        'local_xueshi_change' => ['seq', 'kind', 'completionid', 'oldusername', 'oldcourseshortname', 'snapshot', 'timenoticed'],
    ];

    /** @var string[] Columns that hold a time. */
    private const TIMES = ['timeenrolled', 'timestarted', 'timecompleted', 'timenoticed'];

    /**
     * Describes what is kept, and why.
     *
     * @param collection $collection
     * @return collection
     */
    public static function get_metadata(collection $collection): collection {
        $collection->add_database_table('local_xueshi_person', [
            'userid' => 'privacy:metadata:userid',
            'username' => 'privacy:metadata:username',
            'idnumber' => 'privacy:metadata:idnumber',
            'lastname' => 'privacy:metadata:lastname',
            'firstname' => 'privacy:metadata:firstname',
            'identity' => 'privacy:metadata:identity',
        ], 'privacy:metadata:person');
        $collection->add_database_table('local_xueshi_known', [
            'completionid' => 'privacy:metadata:completionid',
            'userid' => 'privacy:metadata:userid',
            'courseid' => 'privacy:metadata:courseid',
            'courseshortname' => 'privacy:metadata:courseshortname',
            'timeenrolled' => 'privacy:metadata:timeenrolled',
            'timestarted' => 'privacy:metadata:timestarted',
            'timecompleted' => 'privacy:metadata:timecompleted',
            'grade' => 'privacy:metadata:grade',
            'grademax' => 'privacy:metadata:grademax',
            'enrolled' => 'privacy:metadata:enrolled',
            'username' => 'privacy:metadata:username',
        ], 'privacy:metadata:known');
        $collection->add_database_table('local_xueshi_change', [
            'seq' => 'privacy:metadata:seq',
            'kind' => 'privacy:metadata:kind',
            'completionid' => 'privacy:metadata:completionid',
            'userid' => 'privacy:metadata:userid',
            'oldusername' => 'privacy:metadata:oldusername',
            'oldcourseshortname' => 'privacy:metadata:oldcourseshortname',
            'snapshot' => 'privacy:metadata:snapshot',
            'timenoticed' => 'privacy:metadata:timenoticed',
        ], 'privacy:metadata:change');
        $collection->add_external_location_link('agent', [
            'username' => 'privacy:metadata:username',
            'idnumber' => 'privacy:metadata:idnumber',
            'lastname' => 'privacy:metadata:lastname',
            'firstname' => 'privacy:metadata:firstname',
            'identity' => 'privacy:metadata:identity',
            'courseshortname' => 'privacy:metadata:courseshortname',
            'timecompleted' => 'privacy:metadata:timecompleted',
            'grade' => 'privacy:metadata:grade',
        ], 'privacy:metadata:agent');
        return $collection;
    }

    /**
     * The contexts that hold something of a person.
     *
     * @param int $userid
     * @return contextlist
     */
    public static function get_contexts_for_userid(int $userid): contextlist {
        global $DB;
        $contexts = new contextlist();
        foreach (array_keys(self::TABLES) as $table) {
            if ($DB->record_exists($table, ['userid' => $userid])) {
                $contexts->add_system_context();
                break;
            }
        }
        return $contexts;
    }

    /**
     * The people of whom a context holds something.
     *
     * @param userlist $userlist
     */
    public static function get_users_in_context(userlist $userlist) {
        if ($userlist->get_context()->contextlevel != CONTEXT_SYSTEM) {
            return;
        }
        foreach (array_keys(self::TABLES) as $table) {
            $userlist->add_from_sql('userid', "SELECT DISTINCT userid FROM {{$table}}", []);
        }
    }

    /**
     * Exports what is kept of a person.
     *
     * @param approved_contextlist $contextlist
     */
    public static function export_user_data(approved_contextlist $contextlist) {
        global $DB;
        foreach ($contextlist->get_contexts() as $context) {
            if ($context->contextlevel != CONTEXT_SYSTEM) {
                continue;
            }
            $userid = $contextlist->get_user()->id;
            foreach (self::TABLES as $table => $columns) {
                $records = [];
                foreach ($DB->get_records($table, ['userid' => $userid], 'id', 'id, ' . implode(', ', $columns)) as $record) {
                    $records[] = self::exported($record);
                }
                if ($records) {
                    $path = [get_string('pluginname', 'local_xueshi'), get_string("privacy:path:{$table}", 'local_xueshi')];
                    writer::with_context($context)->export_data($path, (object) ['records' => $records]);
                }
            }
        }
    }

    /**
     * Deletes what is kept of everyone. The log's numbers stay, so that no reader goes astray.
     *
     * @param \context $context
     */
    public static function delete_data_for_all_users_in_context(\context $context) {
        global $DB;
        if ($context->contextlevel == CONTEXT_SYSTEM) {
            foreach (array_keys(self::TABLES) as $table) {
                $DB->delete_records($table);
            }
        }
    }

    /**
     * Deletes what is kept of a person.
     *
     * @param approved_contextlist $contextlist
     */
    public static function delete_data_for_user(approved_contextlist $contextlist) {
        foreach ($contextlist->get_contexts() as $context) {
            if ($context->contextlevel == CONTEXT_SYSTEM) {
                self::delete([$contextlist->get_user()->id]);
            }
        }
    }

    /**
     * Deletes what is kept of some people.
     *
     * @param approved_userlist $userlist
     */
    public static function delete_data_for_users(approved_userlist $userlist) {
        if ($userlist->get_context()->contextlevel == CONTEXT_SYSTEM) {
            self::delete($userlist->get_userids());
        }
    }

    /**
     * Deletes rows of some people.
     *
     * @param int[] $userids
     */
    private static function delete(array $userids): void {
        global $DB;
        foreach (array_keys(self::TABLES) as $table) {
            $DB->delete_records_list($table, 'userid', $userids);
        }
    }

    /**
     * A record with times that people can read.
     *
     * @param \stdClass $record
     * @return \stdClass
     */
    private static function exported(\stdClass $record): \stdClass {
        unset($record->id);
        foreach (self::TIMES as $column) {
            if (isset($record->$column)) {
                $record->$column = $record->$column ? transform::datetime($record->$column) : null;
            }
        }
        return $record;
    }
}
