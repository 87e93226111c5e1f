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
 * Many completions as one text: column by column, and what a course says only once.
 *
 * Moodle checks an answer value by value, which takes most of the time of a page of rows; a text is one value. A column is
 * a list of its values, or shorter: texts as one text with a line for each, flags as the places of those that are set.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class columns {
    /** @var string[] What a completion says of its course. The id alone would not do: of a deleted course each has its own. */
    private const OF_COURSE = ['courseid', 'courseshortname', 'courseidnumber', 'coursefullname'];

    /** @var int The server escapes what is not ASCII again, so nothing is escaped here. */
    private const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;

    /**
     * The completions as JSON.
     *
     * @param array[] $completions as {@see completion} makes them
     * @return string an object: the columns by their names; course: each one's place in courses; courses: lists by their names
     */
    public static function text(array $completions): string {
        $places = [];
        $courses = [];
        $course = [];
        foreach ($completions as $completion) {
            $key = "{$completion['courseid']}\n{$completion['courseshortname']}";
            if (!isset($places[$key])) {
                $places[$key] = count($courses);
                $courses[] = $completion;
            }
            $course[] = $places[$key];
        }
        $columns = [];
        foreach (array_diff(completion::VALUES, self::OF_COURSE) as $name) {
            $columns[$name] = self::shortened(array_column($completions, $name));
        }
        $columns['course'] = $course;
        foreach (self::OF_COURSE as $name) {
            $columns['courses'][$name] = array_column($courses, $name);
        }
        return json_encode($columns, self::JSON);
    }

    /**
     * A column in its shortest form.
     *
     * @param array $values all of one type
     * @return array|string
     */
    private static function shortened(array $values) {
        $first = reset($values);
        if (is_bool($first)) {
            return array_keys(array_filter($values));
        }
        if (!is_string($first)) {
            return $values;
        }
        $lines = implode("\n", $values);
        return substr_count($lines, "\n") === count($values) - 1 ? $lines : $values;
    }
}
