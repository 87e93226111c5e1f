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
require_once(__DIR__ . '/../helper_trait.php');

/**
 * Tests of get_changes: what is told of the life of a completion.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\external\get_changes
 * @covers     \local_xueshi\local\changelog
 * @covers     \local_xueshi\local\comparison
 * @covers     \local_xueshi\observer
 */
final class get_changes_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * Completing and regrading are told at once; raw writes by the comparison.
     */
    public function test_completed_and_corrected(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $this->assertSame([0, 0, []], [$this->changes()['first'], $this->changes()['last'], $this->changes()['changes']]);
        $id = $this->complete($user, $course, 1682870400);
        $answer = $this->changes();
        $this->assertSame(['completed xy1|A'], $this->told($answer));
        $this->assertSame([1, 1, 1], [$answer['first'], $answer['last'], $answer['changes'][0]['sequence']]);
        $this->grade($user, $course, 91);
        $answer = $this->changes(1);
        $this->assertSame(['changed xy1|A'], $this->told($answer));
        $this->assertSame('91.00', $answer['changes'][0]['grade']);
        $DB->set_field('course_completions', 'timecompleted', 1600000000, ['id' => $id]);
        $this->assertSame([], $this->changes($answer['last'])['changes']);
        $this->compare();
        $answer = $this->changes($answer['last']);
        $this->assertSame(['changed xy1|A'], $this->told($answer));
        $this->assertSame(1600000000, $answer['changes'][0]['timecompleted']);
        $this->compare();
        $this->assertSame([], $this->changes($answer['last'])['changes']);
        // From the beginning, all of it is one line: the completion as it is now.
        $this->assertSame(['completed xy1|A'], $this->told($this->changes()));
    }

    /**
     * A completion that vanished is told as reset, with what it was; completing again comes after it.
     */
    public function test_reset_and_completed_again(): void {
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $id = $this->complete($user, $course);
        $this->vanish($id);
        $this->compare();
        $answer = $this->changes(1);
        $this->assertSame(['reset xy1|A'], $this->told($answer));
        $row = $answer['changes'][0];
        $this->assertSame([$id, '410102198001010035', 1700000000], [$row['id'], $row['identity'], $row['timecompleted']]);
        $second = $this->complete($user, $course, 1710000000);
        $this->assertSame(['completed xy1|A'], $this->told($this->changes($answer['last'])));
        // Now both before anything was noticed: the order must still be right.
        $last = $this->changes()['last'];
        $this->vanish($second);
        $this->complete($user, $course, 1720000000);
        $answer = $this->changes($last);
        $this->assertSame(['reset xy1|A', 'completed xy1|A'], $this->told($answer));
        $this->assertSame(1720000000, $answer['changes'][1]['timecompleted']);
    }

    /**
     * Where a new completion was told before its predecessor was missed, it is told again after that.
     */
    public function test_successor_is_told_after_what_it_replaces(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $first = $this->complete($user, $course);
        $was = $DB->get_record('local_xueshi_known', ['completionid' => $first]);
        $this->vanish($first);
        $this->complete($user, $course, 1720000000);
        unset($was->id);
        $DB->insert_record('local_xueshi_known', $was);
        $last = $this->changes()['last'];
        $this->compare();
        $this->assertSame(['reset xy1|A', 'changed xy1|A'], $this->told($this->changes($last)));
    }

    /**
     * A course reset takes completions away, a deleted course too; each is told by its name.
     */
    public function test_course_reset_and_course_deleted(): void {
        $this->site();
        $reset = $this->course('A');
        $deleted = $this->course('B');
        foreach (['xy1', 'xy2'] as $name) {
            $user = $this->person($name);
            $this->complete($user, $reset);
            $this->complete($user, $deleted);
        }
        $last = $this->changes()['last'];
        reset_course_userdata((object) ['id' => $reset->id, 'courseid' => $reset->id, 'reset_completion' => 1]);
        $this->cron();
        $answer = $this->changes($last);
        $this->assertSame(['reset xy1|A', 'reset xy2|A'], $this->told($answer));
        delete_course($deleted, false);
        $this->cron();
        $answer = $this->changes($answer['last']);
        $this->assertSame(['deleted xy1|B', 'deleted xy2|B'], $this->told($answer));
        $row = $answer['changes'][0];
        $this->assertSame(['公需科目 & <甲>', 'ZZ-B'], [$row['coursefullname'], $row['courseidnumber']]);
    }

    /**
     * After a rename the name that the agent knows is told, in each page and over several renames.
     */
    public function test_renamed_people_and_courses_are_recognised(): void {
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $this->complete($user, $course);
        user_update_user((object) ['id' => $user->id, 'username' => 'xy2'], false);
        $answer = $this->changes(1);
        $this->assertSame([['xy2', 'xy1', '']], $this->names($answer));
        user_update_user((object) ['id' => $user->id, 'username' => 'xy3'], false);
        update_course((object) ['id' => $course->id, 'shortname' => 'A2']);
        $this->cron();
        $this->assertSame([['xy3', 'xy1', 'A']], $this->names($this->changes(1)));
        $this->assertSame([['xy3', 'xy2', 'A']], $this->names($this->changes($answer['last'])));
        user_update_user((object) ['id' => $user->id, 'username' => 'xy1'], false);
        $this->assertSame([['xy1', '', 'A']], $this->names($this->changes(1)));
    }

    /**
     * Usernames and names before.
     *
     * @param array $answer
     * @return array[]
     */
    private function names(array $answer): array {
        return array_map(function ($change) {
            return [$change['username'], $change['oldusername'], $change['oldcourseshortname']];
        }, $answer['changes']);
    }

    /**
     * Suspending, unenrolling, enrolling again and deleting are changes, never losses, and keep the grade.
     */
    public function test_enrolments_and_accounts(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $this->getDataGenerator()->enrol_user($user->id, $course->id);
        $this->grade($user, $course, 80);
        $this->complete($user, $course);
        $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual']);
        $plugin = enrol_get_plugin('manual');
        $steps = [
            [2, false, function () use ($plugin, $instance, $user) {
                $plugin->update_user_enrol($instance, $user->id, ENROL_USER_SUSPENDED);
            }],
            [0, false, function () use ($plugin, $instance, $user) {
                $plugin->unenrol_user($instance, $user->id);
            }],
            [1, false, function () use ($plugin, $instance, $user) {
                $plugin->enrol_user($instance, $user->id);
            }],
            [2, false, function () use ($plugin, $instance) {
                $plugin->update_status($instance, ENROL_INSTANCE_DISABLED);
            }],
            [0, true, function () use ($user) {
                delete_user($user);
            }],
        ];
        foreach ($steps as [$enrolled, $deleted, $step]) {
            $last = $this->changes()['last'];
            $step();
            $this->cron();
            $answer = $this->changes($last);
            $this->assertSame(['changed xy1|A'], $this->told($answer));
            $row = $answer['changes'][0];
            $this->assertSame([$enrolled, $deleted, '80.00'], [$row['enrolled'], $row['deleted'], $row['grade']]);
            $this->assertSame('410102198001010035', $row['identity']);
        }
    }

    /**
     * Pages hold each entry once; what is gone in between is told by its own entry, never by an empty end.
     */
    public function test_pages_of_the_log(): void {
        $this->site();
        $course = $this->course('A');
        $ids = [];
        for ($i = 0; $i < 5; $i++) {
            $ids[] = $this->complete($this->person("xy{$i}"), $course, 1700000000 + $i);
        }
        $this->vanish($ids[0]);
        $this->vanish($ids[1]);
        $first = $this->changes(0, 2);
        // The first two are gone though no entry says so yet: the page goes on to the next ones.
        $this->assertSame(['completed xy2|A', 'completed xy3|A'], $this->told($first));
        $this->assertTrue($first['more']);
        $second = $this->changes($first['changes'][1]['sequence'], 2);
        $this->assertSame(['completed xy4|A'], $this->told($second));
        $this->assertFalse($second['more']);
        $this->compare();
        $this->assertSame(['reset xy0|A', 'reset xy1|A'], $this->told($this->changes($second['last'])));
    }

    /**
     * A completion that a merge of accounts moved is told under its new name, with the old one.
     */
    public function test_one_that_moved_to_another_account(): void {
        global $DB;
        $this->site();
        $id = $this->complete($this->person('xy1'), $this->course('A'));
        $DB->set_field('course_completions', 'userid', $this->person('xy2', '41010219850303005X')->id, ['id' => $id]);
        $this->compare();
        $change = $this->changes(1)['changes'][0];
        $this->assertSame(['changed', 'xy2', 'xy1'], [$change['kind'], $change['username'], $change['oldusername']]);
        $this->assertSame('41010219850303005X', $change['identity']);
    }

    /**
     * Limits outside their range are refused.
     */
    public function test_limits(): void {
        $this->site();
        $this->expectException(\invalid_parameter_exception::class);
        $this->changes(0, 0);
    }
}
