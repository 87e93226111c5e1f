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

/**
 * The field that the site's setting names: the account's idnumber, or a user profile field by its short name.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class identity {
    /** @var string The account's own «ID number». */
    public const IDNUMBER = 'idnumber';

    /** @var string[] Short names that usually mean an identity number; the first that exists is the default. */
    private const USUAL = ['sfzh', 'sfzhm', 'sfz', 'idcard', 'id_card', 'idcardno', 'zjhm', 'shenfenzheng'];

    /**
     * The short name in force, '' when none is set.
     *
     * @return string
     */
    public static function shortname(): string {
        return (string) get_config('local_xueshi', 'identityfield');
    }

    /**
     * The profile field in force.
     *
     * @return \stdClass|null id, shortname, name; null when it is the idnumber, not set, or no longer there
     */
    public static function profile_field(): ?\stdClass {
        global $DB;
        $shortname = self::shortname();
        if ($shortname === '' || $shortname === self::IDNUMBER) {
            return null;
        }
        $fields = $DB->get_records('user_info_field', ['shortname' => $shortname], 'id', 'id, shortname, name', 0, 1);
        return $fields ? reset($fields) : null;
    }

    /**
     * The field as an agent needs it.
     *
     * @return array{string, string} short name and name; two empty strings when there is none
     */
    public static function described(): array {
        if (self::shortname() === self::IDNUMBER) {
            return [self::IDNUMBER, get_string('idnumber')];
        }
        $field = self::profile_field();
        return $field ? [$field->shortname, $field->name] : ['', ''];
    }

    /**
     * What can be chosen, for the settings page.
     *
     * @return string[] names by short name
     */
    public static function choices(): array {
        global $DB;
        $choices = ['' => get_string('identitynone', 'local_xueshi'), self::IDNUMBER => get_string('idnumber')];
        foreach ($DB->get_records('user_info_field', null, 'sortorder, id', 'id, shortname, name') as $field) {
            $choices[$field->shortname] = format_string($field->name) . " ({$field->shortname})";
        }
        return $choices;
    }

    /**
     * What is chosen when nobody chose.
     *
     * @param string[] $choices as {@see choices()} gives them
     * @return string
     */
    public static function usual(array $choices): string {
        foreach (array_keys($choices) as $shortname) {
            if (in_array(\core_text::strtolower($shortname), self::USUAL, true)) {
                return (string) $shortname;
            }
        }
        return '';
    }
}
