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
 * Tests of the push.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\local\push
 * @covers     \local_xueshi\local\waiting
 * @covers     \local_xueshi\task\push
 */
final class push_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * The signature is what the agent expects.
     */
    public function test_signature(): void {
        $this->assertSame(
            't=1700000000,v1=' . hash_hmac('sha256', '1700000000.{"event":"completed"}', 'secret'),
            push::signature('{"event":"completed"}', 1700000000, 'secret')
        );
    }

    /**
     * Without address or secret nothing is queued; with both, one task at most waits.
     */
    public function test_nothing_is_queued_without_settings(): void {
        $this->site();
        $course = $this->course('A');
        $this->complete($this->person('xy1'), $course);
        $this->assertCount(0, \core\task\manager::get_adhoc_tasks('\local_xueshi\task\push'));
        set_config('hookurl', 'https://xueshi.example.cn/hooks/base1', 'local_xueshi');
        $this->complete($this->person('xy2'), $course);
        $this->assertCount(0, \core\task\manager::get_adhoc_tasks('\local_xueshi\task\push'));
        set_config('hooksecret', 'secret', 'local_xueshi');
        $this->complete($this->person('xy3'), $course);
        $this->complete($this->person('xy4'), $course);
        $this->assertCount(1, \core\task\manager::get_adhoc_tasks('\local_xueshi\task\push'));
    }

    /**
     * What is sent has event, number and time, and is sent once.
     */
    public function test_body_says_nothing_of_anyone(): void {
        $this->site();
        set_config('hookurl', 'https://xueshi.example.cn/hooks/base1', 'local_xueshi');
        set_config('hooksecret', 'secret', 'local_xueshi');
        $user = $this->person('xy1');
        $course = $this->course('A');
        $this->complete($user, $course);
        $this->assertSame('{"event":"completed","sequence":1,"time":5}', push::body(changelog::state(), 5));
        \curl::mock_response('{"queued":true}');
        $this->assertSame(200, push::send());
        $this->assertNull(push::send());
        $this->grade($user, $course, 70);
        $this->assertSame('{"event":"changed","sequence":2,"time":6}', push::body(changelog::state(), 6));
    }

    /**
     * When nobody answers, the task fails, so that Moodle tries again; the number is not taken as told.
     */
    public function test_failure_is_an_error_of_the_task(): void {
        $this->site();
        set_config('hookurl', 'http://127.0.0.1:9/hooks/base1', 'local_xueshi');
        set_config('hooksecret', 'secret', 'local_xueshi');
        $this->complete($this->person('xy1'), $this->course('A'));
        try {
            push::send();
            $this->fail('sent');
        } catch (\moodle_exception $e) {
            $this->assertSame('errorpush', $e->errorcode);
            $this->assertStringNotContainsString('secret', $e->getMessage());
        }
        $this->assertSame(0, (int) changelog::state()->pushed);
    }
}
