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

/**
 * Settings.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */

defined('MOODLE_INTERNAL') || die();

if ($hassiteconfig) {
    $settings = new admin_settingpage('local_xueshi', new lang_string('pluginname', 'local_xueshi'));
    $ADMIN->add('localplugins', $settings);
    if ($ADMIN->fulltree) {
        $choices = \local_xueshi\local\identity::choices();
        $identityfield = new admin_setting_configselect(
            'local_xueshi/identityfield',
            new lang_string('identityfield', 'local_xueshi'),
            new lang_string('identityfield_desc', 'local_xueshi'),
            \local_xueshi\local\identity::usual($choices),
            $choices
        );
        $identityfield->set_updatedcallback(function () {
            \local_xueshi\task\refresh::queue(0);
        });
        $settings->add($identityfield);
        $settings->add(new admin_setting_configduration(
            'local_xueshi/retention',
            new lang_string('retention', 'local_xueshi'),
            new lang_string('retention_desc', 'local_xueshi'),
            400 * DAYSECS,
            DAYSECS
        ));
        $settings->add(new admin_setting_configtext(
            'local_xueshi/hookurl',
            new lang_string('hookurl', 'local_xueshi'),
            new lang_string('hookurl_desc', 'local_xueshi'),
            '',
            PARAM_URL
        ));
        $settings->add(new admin_setting_configpasswordunmask(
            'local_xueshi/hooksecret',
            new lang_string('hooksecret', 'local_xueshi'),
            new lang_string('hooksecret_desc', 'local_xueshi'),
            ''
        ));
    }
}
