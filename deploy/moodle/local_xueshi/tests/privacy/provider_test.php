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

defined('MOODLE_INTERNAL') || die();
require_once(__DIR__ . '/../helper_trait.php');

use core_privacy\local\metadata\collection;
use core_privacy\local\request\approved_contextlist;
use core_privacy\local\request\approved_userlist;
use core_privacy\local\request\userlist;
use core_privacy\local\request\writer;

/**
 * Tests of the privacy provider.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\privacy\provider
 */
final class provider_test extends \core_privacy\tests\provider_testcase {
    use \local_xueshi\helper_trait;

    /**
     * The metadata name every column that holds something of a person, in words that exist.
     */
    public function test_metadata(): void {
        global $DB;
        $items = provider::get_metadata(new collection('local_xueshi'))->get_collection();
        $this->assertCount(4, $items);
        foreach ($items as $item) {
            $this->assertTrue(get_string_manager()->string_exists($item->get_summary(), 'local_xueshi'));
            foreach ($item->get_privacy_fields() as $column => $string) {
                $this->assertTrue(get_string_manager()->string_exists($string, 'local_xueshi'), $string);
                if (strpos($item->get_name(), 'local_xueshi_') === 0) {
                    $this->assertArrayHasKey($column, $DB->get_columns($item->get_name()));
                }
            }
        }
    }

    /**
     * Nobody who completed nothing is known; who did is, also after the account was deleted.
     */
    public function test_contexts_and_users(): void {
        $this->site();
        $user = $this->person('xy1');
        $other = $this->person('xy2');
        $this->complete($user, $this->course('A'));
        $context = \context_system::instance();
        $this->assertEquals([$context->id], provider::get_contexts_for_userid($user->id)->get_contextids());
        $this->assertEmpty(provider::get_contexts_for_userid($other->id)->get_contextids());
        delete_user($user);
        $userlist = new userlist($context, 'local_xueshi');
        provider::get_users_in_context($userlist);
        $this->assertEquals([$user->id], $userlist->get_userids());
        $elsewhere = new userlist(\context_user::instance($other->id), 'local_xueshi');
        provider::get_users_in_context($elsewhere);
        $this->assertEmpty($elsewhere->get_userids());
    }

    /**
     * The export holds person, completions and changes, with times to read.
     */
    public function test_export(): void {
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $this->complete($user, $course);
        $this->complete($this->person('xy2', '41010219850303005X'), $course);
        $context = \context_system::instance();
        provider::export_user_data(new approved_contextlist($user, 'local_xueshi', [$context->id]));
        $writer = writer::with_context($context);
        $this->assertTrue($writer->has_any_data());
        $data = function ($table) use ($writer) {
            $path = [get_string('pluginname', 'local_xueshi'), get_string("privacy:path:{$table}", 'local_xueshi')];
            return $writer->get_data($path)->records;
        };
        $this->assertSame(['410102198001010035'], array_column($data('local_xueshi_person'), 'identity'));
        $this->assertSame(['A'], array_column($data('local_xueshi_known'), 'courseshortname'));
        $this->assertStringContainsString('2023', $data('local_xueshi_known')[0]->timecompleted);
        $this->assertSame(['completed'], array_column($data('local_xueshi_change'), 'kind'));
    }

    /**
     * Somebody without data, and a context that is not ours, export nothing and fail at nothing.
     */
    public function test_nothing_to_export(): void {
        $this->site();
        $user = $this->person('xy1');
        $contexts = [\context_system::instance()->id, \context_user::instance($user->id)->id];
        provider::export_user_data(new approved_contextlist($user, 'local_xueshi', $contexts));
        $this->assertFalse(writer::with_context(\context_system::instance())->has_any_data());
    }

    /**
     * Deleting takes one person's data, and the log goes on.
     */
    public function test_delete_for_one(): void {
        global $DB;
        $this->site();
        $course = $this->course('A');
        $user = $this->person('xy1');
        $this->complete($user, $course);
        $this->complete($this->person('xy2'), $course);
        provider::delete_data_for_user(new approved_contextlist($user, 'local_xueshi', [\context_system::instance()->id]));
        foreach (['person', 'known', 'change'] as $table) {
            $this->assertSame(0, $DB->count_records("local_xueshi_{$table}", ['userid' => $user->id]));
            $this->assertSame(1, $DB->count_records("local_xueshi_{$table}"));
        }
        $this->assertSame(['completed xy2|A'], $this->told($this->changes()));
        $this->complete($this->person('xy3'), $course);
        $this->assertSame(3, $this->changes()['last']);
    }

    /**
     * Deleting by list takes those on it, and deleting by context takes all; other contexts take nothing.
     */
    public function test_delete_for_many_and_all(): void {
        global $DB;
        $this->site();
        $course = $this->course('A');
        $users = [$this->person('xy1'), $this->person('xy2'), $this->person('xy3')];
        foreach ($users as $user) {
            $this->complete($user, $course);
        }
        $system = \context_system::instance();
        provider::delete_data_for_users(new approved_userlist($system, 'local_xueshi', [$users[0]->id, $users[1]->id]));
        $this->assertSame(1, $DB->count_records('local_xueshi_known'));
        provider::delete_data_for_all_users_in_context(\context_course::instance($course->id));
        $this->assertSame(1, $DB->count_records('local_xueshi_known'));
        provider::delete_data_for_all_users_in_context($system);
        foreach (['person', 'known', 'change'] as $table) {
            $this->assertSame(0, $DB->count_records("local_xueshi_{$table}"));
        }
        $this->assertSame(3, $this->changes()['last']);
    }
}
