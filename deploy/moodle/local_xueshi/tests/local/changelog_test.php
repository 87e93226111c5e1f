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
 * Tests of the change log's numbers.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\local\changelog
 */
final class changelog_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * Trimming removes the old, keeps the newest, and says from where a reader can go on.
     */
    public function test_numbers_rise_without_gaps_and_survive_trimming(): void {
        global $DB;
        $this->site();
        $course = $this->course('A');
        for ($i = 0; $i < 4; $i++) {
            $this->complete($this->person("xy{$i}"), $course);
        }
        $this->assertEquals([1, 2, 3, 4], $DB->get_fieldset_sql('SELECT seq FROM {local_xueshi_change} ORDER BY seq'));
        $this->assertSame(1, changelog::first(changelog::state()));
        set_config('retention', DAYSECS, 'local_xueshi');
        $DB->set_field_select('local_xueshi_change', 'timenoticed', time() - 2 * DAYSECS, 'seq <= 2');
        $this->assertSame(2, changelog::trim());
        $this->assertSame(3, changelog::first(changelog::state()));
        $DB->set_field('local_xueshi_change', 'timenoticed', time() - 2 * DAYSECS);
        $this->assertSame(1, changelog::trim());
        $this->assertSame([4, 4], [changelog::first(changelog::state()), (int) changelog::state()->last]);
        $this->assertSame(0, changelog::trim());
        $this->complete($this->person('xy9'), $course);
        $this->assertSame(5, (int) changelog::state()->last);
        set_config('retention', 0, 'local_xueshi');
        $this->assertSame(0, changelog::trim());
    }

    /**
     * A writer that fails leaves nothing behind, and the next one goes on as if it had not been.
     */
    public function test_what_fails_leaves_no_number(): void {
        global $DB;
        $this->site();
        $entry = [
            'kind' => 'changed', 'completionid' => 1, 'userid' => 2, 'oldusername' => null, 'oldcourseshortname' => null,
            'snapshot' => null,
        ];
        try {
            changelog::exclusively(function ($state) use ($entry) {
                changelog::add($state, [$entry]);
                throw new \coding_exception('stop');
            });
            $this->fail('swallowed');
        } catch (\coding_exception $e) {
            $this->assertStringContainsString('stop', $e->getMessage());
        }
        $this->assertSame([0, 0], [(int) changelog::state()->last, $DB->count_records('local_xueshi_change')]);
        changelog::exclusively(function ($state) use ($entry) {
            changelog::add($state, [$entry, $entry]);
        });
        $this->assertSame(2, (int) changelog::state()->last);
    }

    /**
     * A reader that has seen a number never later finds a lower one: a second connection cannot write before the first commits.
     */
    public function test_second_writer_waits_for_the_first(): void {
        global $DB, $CFG;
        $this->site();
        $other = \moodle_database::get_driver_instance($CFG->dbtype, $CFG->dblibrary);
        $other->connect($CFG->dbhost, $CFG->dbuser, $CFG->dbpass, $CFG->dbname, $CFG->prefix, $CFG->dboptions);
        if ($DB->get_dbfamily() === 'mysql') {
            $other->execute('SET SESSION innodb_lock_wait_timeout = 1');
        } else {
            $other->execute("SET lock_timeout = '1s'");
        }
        changelog::exclusively(function ($state) use ($other) {
            $state->last++;
            try {
                $other->execute('UPDATE {local_xueshi_state} SET last = last');
                $this->fail('the lock let a second writer in');
            } catch (\dml_exception $e) {
                $this->assertSame('dmlwriteexception', $e->errorcode);
            }
            // Readers do not wait, and see nothing that is not committed.
            $this->assertSame(0, (int) $other->get_field('local_xueshi_state', 'last', []));
        });
        $this->assertSame(1, (int) $other->get_field('local_xueshi_state', 'last', []));
        $other->dispose();
    }
}
