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
 * Tests of the identity field.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 * @covers     \local_xueshi\local\identity
 */
final class identity_test extends \advanced_testcase {
    use \local_xueshi\helper_trait;

    /**
     * All profile fields can be chosen; one that is usually called so is the default.
     */
    public function test_choices_and_what_is_usual(): void {
        $this->resetAfterTest();
        $this->assertSame(['', 'idnumber'], array_keys(identity::choices()));
        $this->assertSame('', identity::usual(identity::choices()));
        $this->getDataGenerator()->create_custom_profile_field(['datatype' => 'text', 'shortname' => 'phone', 'name' => '电话']);
        $this->getDataGenerator()->create_custom_profile_field(['datatype' => 'text', 'shortname' => 'SFZH', 'name' => '身份证号']);
        $this->assertSame(['', 'idnumber', 'phone', 'SFZH'], array_keys(identity::choices()));
        $this->assertSame('SFZH', identity::usual(identity::choices()));
    }

    /**
     * The field is told by its name; one that is gone, or none, is told as none.
     */
    public function test_described(): void {
        $this->site();
        $this->assertSame(['sfzh', '身份证号'], identity::described());
        set_config('identityfield', 'idnumber', 'local_xueshi');
        $this->assertSame(['idnumber', get_string('idnumber')], identity::described());
        foreach (['', 'gone'] as $none) {
            set_config('identityfield', $none, 'local_xueshi');
            $this->assertSame(['', ''], identity::described());
            $this->assertNull(identity::profile_field());
        }
    }
}
