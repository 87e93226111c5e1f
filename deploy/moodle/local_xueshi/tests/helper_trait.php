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

namespace local_xueshi;

/**
 * What the tests have in common: people with identity numbers (all invented), courses, completions, the log.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
trait helper_trait {
    /** @var \stdClass the profile field with the identity number */
    private $field;

    /**
     * A site with an identity field. Observers run as in life, so transactions must be real.
     */
    private function site(): void {
        global $CFG;
        require_once($CFG->libdir . '/completionlib.php');
        require_once($CFG->libdir . '/gradelib.php');
        require_once($CFG->dirroot . '/user/lib.php');
        $this->resetAfterTest();
        $this->preventResetByRollback();
        $this->setAdminUser();
        $this->field = $this->getDataGenerator()->create_custom_profile_field(
            ['datatype' => 'text', 'shortname' => 'sfzh', 'name' => '身份证号']
        );
        set_config('identityfield', 'sfzh', 'local_xueshi');
    }

    /**
     * Somebody.
     *
     * @param string $username
     * @param string $identity
     * @return \stdClass
     */
    private function person(string $username, string $identity = '410102198001010035'): \stdClass {
        return $this->getDataGenerator()->create_user([
            'username' => $username, 'lastname' => '欧阳', 'firstname' => '𠮷', 'idnumber' => "GH-{$username}",
            'profile_field_sfzh' => $identity,
        ]);
    }

    /**
     * A course with completion.
     *
     * @param string $shortname
     * @param string $fullname
     * @return \stdClass
     */
    private function course(string $shortname, string $fullname = '公需科目 & <甲>'): \stdClass {
        return $this->getDataGenerator()->create_course(
            ['shortname' => $shortname, 'fullname' => $fullname, 'idnumber' => "ZZ-{$shortname}", 'enablecompletion' => 1]
        );
    }

    /**
     * Somebody completes a course.
     *
     * @param \stdClass $user
     * @param \stdClass $course
     * @param int $time
     * @return int id of the completion
     */
    private function complete(\stdClass $user, \stdClass $course, int $time = 1700000000): int {
        global $DB;
        $this->getDataGenerator()->enrol_user($user->id, $course->id);
        (new \completion_completion(['userid' => $user->id, 'course' => $course->id]))->mark_complete($time);
        return (int) $DB->get_field('course_completions', 'id', ['userid' => $user->id, 'course' => $course->id]);
    }

    /**
     * Somebody gets a course total.
     *
     * @param \stdClass $user
     * @param \stdClass $course
     * @param float $grade
     */
    private function grade(\stdClass $user, \stdClass $course, float $grade): void {
        \grade_item::fetch_course_item($course->id)->update_final_grade($user->id, $grade, 'test');
    }

    /**
     * Completion data of somebody vanish as «unlock completion and delete» makes them: no event tells.
     *
     * @param int $id
     */
    private function vanish(int $id): void {
        global $DB;
        $DB->delete_records('course_completions', ['id' => $id]);
        \cache::make('core', 'coursecompletion')->purge();
    }

    /**
     * Runs the ad-hoc tasks of ours, as cron would.
     */
    private function cron(): void {
        ob_start();
        foreach (['refresh', 'push'] as $name) {
            foreach (\core\task\manager::get_adhoc_tasks('\local_xueshi\task\\' . $name) as $task) {
                $task->execute();
                global $DB;
                $DB->delete_records('task_adhoc', ['id' => $task->get_id()]);
            }
        }
        ob_end_clean();
    }

    /**
     * Runs the scheduled comparison.
     *
     * @return string what it says
     */
    private function compare(): string {
        ob_start();
        (new task\compare())->execute();
        return ob_get_clean();
    }

    /**
     * What happened after a number.
     *
     * @param int $after
     * @param int $limit
     * @return array the answer of get_changes
     */
    private function changes(int $after = 0, int $limit = 5000): array {
        return $this->answer(external\get_changes::class, [$after, $limit]);
    }

    /**
     * The answer of an external function, as it leaves the server.
     *
     * @param string $class
     * @param array $arguments
     * @return array
     */
    private function answer(string $class, array $arguments = []): array {
        return $class::clean_returnvalue($class::execute_returns(), $class::execute(...$arguments));
    }

    /**
     * Kinds and completions of changes, for comparison.
     *
     * @param array $answer
     * @return string[]
     */
    private function told(array $answer): array {
        return array_map(function ($change) {
            return "{$change['kind']} {$change['username']}|{$change['courseshortname']}";
        }, $answer['changes']);
    }
}
