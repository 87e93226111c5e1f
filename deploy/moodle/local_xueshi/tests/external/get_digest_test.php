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
 * Tests of get_digest.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\external\get_digest
 * @covers     \local_xueshi\local\digest
 */
final class get_digest_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * Sums of a block are those of get_completions, whatever the log knows or does not know.
     */
    public function test_blocks_hold_the_marks_of_the_rows(): void {
        global $DB;
        $this->site();
        $courses = [$this->course('A'), $this->course('B')];
        $users = [];
        for ($i = 0; $i < 5; $i++) {
            $users[] = $this->person("xy{$i}");
            $this->complete($users[$i], $courses[0], 1700000000 + $i);
        }
        $this->assert_agrees();
        // Written past Moodle: a time, a row, a name, a course's name; and an account that was deleted.
        $DB->set_field('course_completions', 'timecompleted', 1600000000, ['userid' => $users[0]->id]);
        $DB->insert_record('course_completions', [
            'userid' => $users[1]->id, 'course' => $courses[1]->id, 'timecompleted' => 1500000000, 'timeenrolled' => 0,
            'timestarted' => 0, 'reaggregate' => 0,
        ]);
        $this->assert_agrees();
        $DB->set_field('user', 'lastname', '司马', ['id' => $users[2]->id]);
        $this->assert_agrees();
        $DB->set_field('course', 'fullname', '新名', ['id' => $courses[0]->id]);
        $this->assert_agrees();
        delete_user($users[3]);
        $this->assert_agrees();
        $this->compare();
        $this->assert_agrees();
        $DB->delete_records('local_xueshi_known');
        $this->assert_agrees();
    }

    /**
     * Digest and completions say the same.
     */
    private function assert_agrees(): void {
        $rows = $this->answer(get_completions::class)['completions'];
        $expected = [];
        foreach ($rows as $row) {
            $block = intdiv($row['id'] - 1, 100);
            $expected[$block]['first'] = $block * 100 + 1;
            $expected[$block]['last'] = $block * 100 + 100;
            $expected[$block]['rows'] = ($expected[$block]['rows'] ?? 0) + 1;
            $expected[$block]['marks'] = ($expected[$block]['marks'] ?? 0) + $row['mark'];
        }
        ksort($expected);
        $answer = $this->answer(get_digest::class, [0, 100]);
        $this->assertSame(array_values($expected), $answer['blocks']);
        $this->assertSame(0, $answer['nextid']);
    }

    /**
     * A sum changes with time, grade, enrolment, names, identity and state of the account.
     */
    public function test_each_difference_changes_the_sum(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('A');
        $this->complete($user, $course);
        $sum = function () {
            return array_sum(array_column($this->answer(get_digest::class)['blocks'], 'marks'));
        };
        $seen = [$sum()];
        $DB->set_field('course_completions', 'timecompleted', 1600000000, ['userid' => $user->id]);
        $seen[] = $sum();
        $DB->set_field('user_info_data', 'data', '41010219850303005X', ['userid' => $user->id]);
        $seen[] = $sum();
        $DB->set_field('user', 'suspended', 1, ['id' => $user->id]);
        $seen[] = $sum();
        $DB->set_field('course', 'shortname', 'A2', ['id' => $course->id]);
        $seen[] = $sum();
        $this->grade($user, $course, 90);
        $seen[] = $sum();
        $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual']);
        enrol_get_plugin('manual')->unenrol_user($instance, $user->id);
        $seen[] = $sum();
        $this->assertSame($seen, array_values(array_unique($seen)));
    }

    /**
     * Empty blocks are left out, and the next call begins where there is something.
     */
    public function test_pages_and_gaps(): void {
        global $DB;
        $this->site();
        $first = $this->complete($this->person('xy1'), $this->course('A'));
        $second = $this->complete($this->person('xy2'), $this->course('B'));
        $far = intdiv($first, 100) * 100 + 1050;
        $DB->execute('UPDATE {course_completions} SET id = ? WHERE id = ?', [$far, $second]);
        $answer = $this->answer(get_digest::class, [0, 100, 2]);
        $this->assertSame([1], array_column($answer['blocks'], 'rows'));
        $this->assertSame($far, $answer['nextid']);
        $answer = $this->answer(get_digest::class, [$answer['nextid'], 100, 1]);
        $this->assertSame([intdiv($far - 1, 100) * 100 + 1], array_column($answer['blocks'], 'first'));
        $this->assertSame(0, $answer['nextid']);
        $this->assertSame([[], 0], array_values(array_intersect_key(
            $this->answer(get_digest::class, [$far + 1000]),
            ['blocks' => 1, 'nextid' => 1]
        )));
    }

    /**
     * Block sizes and limits outside their ranges are refused.
     */
    public function test_limits(): void {
        $this->site();
        foreach ([[0, 99, 1], [0, 100001, 1], [0, 5000, 0], [0, 5000, 1001]] as $arguments) {
            try {
                get_digest::execute(...$arguments);
                $this->fail('accepted');
            } catch (\invalid_parameter_exception $e) {
                $this->assertStringContainsString('must be from', $e->debuginfo);
            }
        }
    }
}
