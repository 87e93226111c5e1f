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

defined('MOODLE_INTERNAL') || die();
require_once(__DIR__ . '/../helper_trait.php');

/**
 * Tests of the comparison.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\local\comparison
 * @covers     \local_xueshi\local\snapshots
 * @covers     \local_xueshi\task\compare
 * @covers     \local_xueshi\task\refresh
 */
final class comparison_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * Completions from before the plugin are known afterwards, and not told.
     */
    public function test_first_comparison_takes_over_what_was_there(): void {
        global $DB;
        $this->site();
        $course = $this->course('A');
        $old = $this->complete($this->person('old'), $course);
        foreach (['known', 'change', 'person', 'course'] as $table) {
            $DB->delete_records("local_xueshi_{$table}");
        }
        $DB->execute('UPDATE {local_xueshi_state} SET last = 0, baseline = ?', [$old]);
        // One more comes before the first comparison, by a raw write.
        $DB->insert_record('course_completions', ['userid' => $this->person('new')->id, 'course' => $course->id,
            'timecompleted' => 1600000000, 'timeenrolled' => 0, 'timestarted' => 0, 'reaggregate' => 0]);
        $said = $this->compare();
        $this->assertStringContainsString('known: 1', $said);
        $this->assertSame(['completed new|A'], $this->told($this->changes()));
        $this->assertSame(2, $DB->count_records('local_xueshi_known'));
        $this->assertSame(0, (int) changelog::state()->baseline);
        // The identity number of the old one is safe from now on.
        delete_user($DB->get_record('user', ['username' => 'old']));
        $this->assertSame(['410102198001010035'], array_column($this->changes(1)['changes'], 'identity'));
    }

    /**
     * A number corrected by a raw write just before the account is deleted is the one that stays.
     */
    public function test_identity_of_the_last_moment_is_kept(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1', '');
        $this->complete($user, $this->course('A'));
        $DB->set_field('user_info_data', 'data', '41010219850303005X', ['userid' => $user->id]);
        delete_user($user);
        $change = $this->changes()['changes'][0];
        $this->assertSame(['xy1', 'GH-xy1', '41010219850303005X'], [$change['username'], $change['idnumber'], $change['identity']]);
        $this->assertTrue($change['deleted']);
    }

    /**
     * Emptying the field is told while the account lives; the snapshot keeps the number.
     */
    public function test_an_empty_identity_replaces_none(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $this->complete($user, $this->course('A'));
        $DB->set_field('user_info_data', 'data', '', ['userid' => $user->id]);
        $this->compare();
        $this->assertSame('', $this->changes()['changes'][0]['identity']);
        delete_user($user);
        $this->assertSame('410102198001010035', $this->changes()['changes'][0]['identity']);
    }

    /**
     * Another field in the setting changes every completion, once.
     */
    public function test_setting_of_the_identity_field(): void {
        $this->site();
        $this->complete($this->person('xy1'), $this->course('A'));
        set_config('identityfield', 'idnumber', 'local_xueshi');
        $this->assertStringContainsString('changed: 1', $this->compare());
        $this->assertSame(['GH-xy1'], array_column($this->changes(1)['changes'], 'identity'));
        $this->assertStringNotContainsString('changed', $this->compare());
    }

    /**
     * A completion whose time was emptied is none any more.
     */
    public function test_reopened_completion_is_a_reset(): void {
        global $DB;
        $this->site();
        $id = $this->complete($this->person('xy1'), $this->course('A'));
        $DB->set_field('course_completions', 'timecompleted', null, ['id' => $id]);
        $this->compare();
        $this->assertSame(['reset xy1|A'], $this->told($this->changes(1)));
        $DB->set_field('course_completions', 'timecompleted', 1700000001, ['id' => $id]);
        $this->compare();
        $this->assertSame(['completed xy1|A'], $this->told($this->changes(2)));
    }

    /**
     * A renamed course queues one task, however often it is saved; a course without completions queues none.
     */
    public function test_course_is_looked_at_by_cron(): void {
        global $DB;
        $this->site();
        $course = $this->course('A');
        $this->complete($this->person('xy1'), $course);
        $DB->delete_records('task_adhoc', ['component' => 'local_xueshi']);
        update_course((object) ['id' => $course->id, 'fullname' => '一']);
        update_course((object) ['id' => $course->id, 'fullname' => '二']);
        update_course((object) ['id' => $this->course('B')->id, 'fullname' => '三']);
        $this->assertSame(1, $DB->count_records('task_adhoc', ['component' => 'local_xueshi']));
        // One that runs already may have looked too early, so the next change queues another.
        $DB->set_field('task_adhoc', 'timestarted', time(), ['component' => 'local_xueshi']);
        update_course((object) ['id' => $course->id, 'fullname' => '四']);
        $this->assertSame(2, $DB->count_records('task_adhoc', ['component' => 'local_xueshi']));
        $this->cron();
        $this->assertSame(['四'], array_column($this->changes(1)['changes'], 'coursefullname'));
    }

    /**
     * When our own tables fail, completing a course goes on.
     */
    public function test_observers_harm_nobody(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $DB->delete_records('local_xueshi_state');
        $id = $this->complete($user, $course);
        $this->assertGreaterThan(0, $id);
        $this->assertDebuggingCalled();
        $DB->insert_record('local_xueshi_state', ['last' => 0]);
        $this->compare();
        $this->assertSame(['completed xy1|A'], $this->told($this->changes()));
    }
}
