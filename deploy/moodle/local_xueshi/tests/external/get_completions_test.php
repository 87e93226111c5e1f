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
 * Tests of get_completions.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\external\get_completions
 * @covers     \local_xueshi\external\completion_structure
 * @covers     \local_xueshi\local\reader
 * @covers     \local_xueshi\local\completion
 * @covers     \local_xueshi\local\columns
 */
final class get_completions_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * A completion has person, course, times and grade, as Moodle stores them.
     */
    public function test_row_is_complete_and_raw(): void {
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('WSYS');
        $this->getDataGenerator()->enrol_user($user->id, $course->id);
        $this->grade($user, $course, 88.5);
        $id = $this->complete($user, $course, 1682870400);
        $answer = $this->answer(get_completions::class);
        $this->assertSame(['shortname' => 'sfzh', 'name' => '身份证号'], $answer['identityfield']);
        $this->assertSame([-1, false, 1], [$answer['total'], $answer['more'], $answer['sequence']]);
        $row = $answer['completions'][0];
        $this->assertGreaterThanOrEqual(0, $row['mark']);
        $this->assertLessThan(2 ** 32, $row['mark']);
        unset($row['mark'], $row['timeenrolled'], $row['timestarted']);
        $this->assertSame([
            'id' => $id, 'userid' => (int) $user->id, 'courseid' => (int) $course->id, 'username' => 'xy1', 'idnumber' => 'GH-xy1',
            'identity' => '410102198001010035', 'lastname' => '欧阳', 'firstname' => '𠮷', 'deleted' => false, 'suspended' => false,
            'enrolled' => 1, 'courseshortname' => 'WSYS', 'courseidnumber' => 'ZZ-WSYS', 'coursefullname' => '公需科目 & <甲>',
            'timecompleted' => 1682870400, 'grade' => '88.50', 'grademax' => '100.00',
        ], $row);
    }

    /**
     * Pages in the order of time and id: nothing is missed, nothing comes twice, also where times are equal.
     */
    public function test_pages_go_on_after_time_and_id(): void {
        $this->site();
        $course = $this->course('WSYS');
        foreach ([1700000000, 1700000000, 1600000000, 1700000000, 1800000000] as $i => $time) {
            $this->complete($this->person("xy{$i}"), $course, $time);
        }
        global $DB;
        $DB->insert_record('course_completions', ['userid' => $this->person('unfinished')->id, 'course' => $course->id,
            'timeenrolled' => 0, 'timestarted' => 0, 'reaggregate' => 0]);
        $seen = [];
        [$time, $id] = [0, 0];
        do {
            $answer = $this->answer(get_completions::class, [$time, $id, 0, 0, 0, 2, 1]);
            $this->assertSame(5 - count($seen), $answer['total']);
            foreach ($answer['completions'] as $row) {
                $seen[] = $row['username'];
                [$time, $id] = [$row['timecompleted'], $row['id']];
            }
        } while ($answer['more']);
        $this->assertSame(['xy2', 'xy0', 'xy1', 'xy3', 'xy4'], $seen);
    }

    /**
     * Ends of a range: totime is outside it, firstid and lastid are inside.
     */
    public function test_ranges_of_time_and_id(): void {
        $this->site();
        $course = $this->course('WSYS');
        $ids = [];
        foreach ([100, 200, 300] as $i => $time) {
            $ids[] = $this->complete($this->person("xy{$i}"), $course, $time);
        }
        $times = function (...$arguments) {
            return array_column($this->answer(get_completions::class, $arguments)['completions'], 'timecompleted');
        };
        $this->assertSame([100, 200], $times(0, 0, 300));
        $this->assertSame([200, 300], $times(200, 0));
        $this->assertSame([200], $times(0, 0, 0, $ids[1], $ids[1]));
        $this->assertSame(2, $this->answer(get_completions::class, [0, 0, 0, $ids[1], 0, 1, 1])['total']);
    }

    /**
     * Nothing that happens to an account or an enrolment takes a completion away.
     */
    public function test_deleted_suspended_and_unenrolled_people_stay(): void {
        global $DB;
        $this->site();
        $course = $this->course('WSYS');
        $people = [];
        foreach (['deleted', 'suspended', 'unenrolled', 'paused'] as $name) {
            $people[$name] = $this->person($name);
            $this->getDataGenerator()->enrol_user($people[$name]->id, $course->id);
            $this->grade($people[$name], $course, 75);
            $this->complete($people[$name], $course);
        }
        $instance = $DB->get_record('enrol', ['courseid' => $course->id, 'enrol' => 'manual']);
        delete_user($people['deleted']);
        user_update_user((object) ['id' => $people['suspended']->id, 'suspended' => 1], false);
        enrol_get_plugin('manual')->unenrol_user($instance, $people['unenrolled']->id);
        enrol_get_plugin('manual')->update_user_enrol($instance, $people['paused']->id, ENROL_USER_SUSPENDED);
        $rows = array_column($this->answer(get_completions::class)['completions'], null, 'username');
        $this->assertSame(['deleted', 'suspended', 'unenrolled', 'paused'], array_keys($rows));
        $this->assertSame(['410102198001010035'], array_values(array_unique(array_column($rows, 'identity'))));
        $this->assertSame('GH-deleted', $rows['deleted']['idnumber']);
        $this->assertSame([true, false, false, false], array_column($rows, 'deleted'));
        $this->assertSame([false, true, false, false], array_column($rows, 'suspended'));
        $this->assertSame([0, 1, 0, 2], array_column($rows, 'enrolled'));
        $this->assertSame(['75.00'], array_values(array_unique(array_column($rows, 'grade'))));
    }

    /**
     * A completion whose account or course row is gone is still a row.
     */
    public function test_account_or_course_that_was_wiped_by_hand(): void {
        global $DB;
        $this->site();
        $user = $this->person('xy1');
        $course = $this->course('WSYS');
        $this->complete($user, $course);
        $DB->delete_records('user', ['id' => $user->id]);
        $DB->delete_records('course', ['id' => $course->id]);
        $row = $this->answer(get_completions::class)['completions'][0];
        $this->assertSame(['xy1', '410102198001010035', 'WSYS'], [$row['username'], $row['identity'], $row['courseshortname']]);
        $this->assertTrue($row['deleted']);
    }

    /**
     * Columns say what rows say, value by value: of people who are there and who are not, and of a name with a line break.
     */
    public function test_columns_say_what_rows_say(): void {
        global $DB;
        $this->site();
        $courses = [$this->course('WSYS'), $this->course('AQSC', '{mlang zh_cn}安全 "法规" / \\ <乙>{mlang}')];
        foreach (['plain', 'broken', 'suspended', 'deleted'] as $i => $name) {
            $person = $this->person($name, $i === 1 ? '' : '410102198001010035');
            foreach ($courses as $course) {
                $this->getDataGenerator()->enrol_user($person->id, $course->id);
                if ($i === 0) {
                    $this->grade($person, $course, 88.5);
                }
                $this->complete($person, $course, 1700000000 + 2 * $i);
            }
            $people[$name] = $person;
        }
        $DB->set_field('user', 'lastname', "欧\n阳\\n", ['id' => $people['broken']->id]);
        user_update_user((object) ['id' => $people['suspended']->id, 'suspended' => 1], false);
        delete_user($people['deleted']);
        $rows = $this->answer(get_completions::class, [0, 0, 0, 0, 0, 7, 1]);
        $columns = $this->answer(get_completions::class, [0, 0, 0, 0, 0, 7, 1, 'columns']);
        $this->assertSame($rows['completions'], $this->spread($columns['columns']));
        unset($rows['completions'], $columns['columns'], $rows['servertime'], $columns['servertime']);
        $this->assertSame($rows, $columns);
        $this->assertSame([8, true], [$columns['total'], $columns['more']]);
    }

    /**
     * The form: a text is lines, flags are places, a course stands once, and letters are not escaped twice.
     */
    public function test_columns_are_short(): void {
        $this->site();
        $course = $this->course('WSYS', '安全/法规');
        foreach (['a', 'b', 'c'] as $i => $name) {
            $people[] = $this->person($name);
            $this->complete($people[$i], $course, 1700000000 + $i);
        }
        user_update_user((object) ['id' => $people[2]->id, 'suspended' => 1], false);
        $text = $this->answer(get_completions::class, [0, 0, 0, 0, 0, 0, 0, 'columns'])['columns'];
        $this->assertStringContainsString('"username":"a\\nb\\nc"', $text);
        $this->assertStringContainsString('"suspended":[2]', $text);
        $this->assertStringContainsString('"course":[0,0,0]', $text);
        $this->assertStringContainsString('"coursefullname":["安全/法规"]', $text);
        $this->assertSame(1, substr_count($text, '"WSYS"'));
    }

    /**
     * Nothing in columns is an empty list in each; one empty text is one line.
     */
    public function test_columns_of_nothing_and_of_one(): void {
        $this->site();
        $empty = $this->answer(get_completions::class, [0, 0, 0, 0, 0, 0, 0, 'columns'])['columns'];
        $this->assertSame([], $this->spread($empty));
        $this->complete($this->person('a', ''), $this->course('WSYS'));
        $one = $this->answer(get_completions::class, [0, 0, 0, 0, 0, 0, 0, 'columns'])['columns'];
        $this->assertSame([''], array_column($this->spread($one), 'identity'));
    }

    /**
     * A deleted course is told as each completion last knew it.
     */
    public function test_columns_of_a_course_that_is_gone(): void {
        global $DB;
        $this->site();
        $course = $this->course('WSYS');
        foreach (['a', 'b'] as $i => $name) {
            $ids[] = $this->complete($this->person($name), $course, 1700000000 + $i);
        }
        $DB->set_field('local_xueshi_known', 'courseshortname', 'WSYS2', ['completionid' => $ids[1]]);
        $DB->delete_records('course', ['id' => $course->id]);
        $rows = $this->answer(get_completions::class)['completions'];
        $columns = $this->answer(get_completions::class, [0, 0, 0, 0, 0, 0, 0, 'columns'])['columns'];
        $this->assertSame(['WSYS', 'WSYS2'], array_column($rows, 'courseshortname'));
        $this->assertSame($rows, $this->spread($columns));
    }

    /**
     * Another form is refused.
     */
    public function test_unknown_form(): void {
        $this->site();
        $this->expectException(\invalid_parameter_exception::class);
        get_completions::execute(0, 0, 0, 0, 0, 0, 0, 'table');
    }

    /**
     * Columns as the rows that they stand for.
     *
     * @param string $text
     * @return array[]
     */
    private function spread(string $text): array {
        $columns = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
        $rows = [];
        foreach ($columns['id'] as $at => $id) {
            foreach (\local_xueshi\local\completion::VALUES as $name) {
                if (array_key_exists($name, $columns['courses'])) {
                    $rows[$at][$name] = $columns['courses'][$name][$columns['course'][$at]];
                } else if (in_array($name, ['deleted', 'suspended'])) {
                    $rows[$at][$name] = in_array($at, $columns[$name], true);
                } else {
                    $values = is_string($columns[$name]) ? explode("\n", $columns[$name]) : $columns[$name];
                    $this->assertCount(count($columns['id']), $values);
                    $rows[$at][$name] = $values[$at];
                }
            }
        }
        return $rows;
    }

    /**
     * Without the capability, or beyond the limits, nothing is answered.
     */
    public function test_capability_and_limits(): void {
        $this->site();
        foreach ([10001, -1] as $limit) {
            try {
                get_completions::execute(0, 0, 0, 0, 0, $limit);
                $this->fail('limit accepted');
            } catch (\invalid_parameter_exception $e) {
                $this->assertStringContainsString('limit', $e->debuginfo);
            }
        }
        $this->setUser($this->person('nobody'));
        foreach ([get_completions::class, get_digest::class, get_changes::class] as $class) {
            try {
                $class::execute();
                $this->fail("{$class} answered");
            } catch (\required_capability_exception $e) {
                $this->assertSame('nopermissions', $e->errorcode);
            }
        }
    }
}
