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
 * Tells the agent that there is something to fetch. It says nothing of what or whose; the agent asks for that.
 *
 * @package    local_xueshi
 * @copyright  2026 xueshi contributors
 * @license    http://www.gnu.org/copyleft/gpl.html GNU GPL v3 or later
 */
class push {
    /** @var int Seconds that the agent has to answer. */
    private const TIMEOUT = 10;

    /**
     * Whether the settings say where to, and with which secret.
     *
     * @return bool
     */
    public static function configured(): bool {
        return (string) get_config('local_xueshi', 'hookurl') !== '' && (string) get_config('local_xueshi', 'hooksecret') !== '';
    }

    /**
     * Has cron tell the agent; at most one such task waits.
     */
    public static function queue(): void {
        if (self::configured()) {
            waiting::queue(new \local_xueshi\task\push());
        }
    }

    /**
     * What is sent: the newest number, and whether somebody completed something since the last time.
     *
     * @param \stdClass $state
     * @param int $now
     * @return string JSON
     */
    public static function body(\stdClass $state, int $now): string {
        global $DB;
        $completed = $DB->record_exists_select(
            'local_xueshi_change',
            'seq > ? AND kind = ?',
            [$state->pushed, changelog::COMPLETED]
        );
        return json_encode([
            'event' => $completed ? changelog::COMPLETED : changelog::CHANGED,
            'sequence' => (int) $state->last,
            'time' => $now,
        ]);
    }

    /**
     * The header that proves where a body comes from.
     *
     * @param string $body
     * @param int $now
     * @param string $secret
     * @return string
     */
    public static function signature(string $body, int $now, string $secret): string {
        return "t={$now},v1=" . hash_hmac('sha256', "{$now}.{$body}", $secret);
    }

    /**
     * Sends what the agent was not told yet.
     *
     * @return int|null HTTP status, null when there was nothing to tell
     */
    public static function send(): ?int {
        global $CFG;
        $state = changelog::state();
        if (!self::configured() || $state->pushed >= $state->last) {
            return null;
        }
        require_once($CFG->libdir . '/filelib.php');
        $now = time();
        $body = self::body($state, $now);
        // The address is the administrator's, and often one of the own network, which Moodle's filter would refuse.
        $curl = new \curl(['ignoresecurity' => true]);
        $curl->setHeader([
            'Content-Type: application/json',
            'X-Xueshi-Signature: ' . self::signature($body, $now, get_config('local_xueshi', 'hooksecret')),
        ]);
        $curl->post(get_config('local_xueshi', 'hookurl'), $body, [
            'CURLOPT_TIMEOUT' => self::TIMEOUT,
            'CURLOPT_CONNECTTIMEOUT' => self::TIMEOUT,
            'CURLOPT_FOLLOWLOCATION' => 0,
        ]);
        $status = (int) ($curl->get_info()['http_code'] ?? 0);
        if ($curl->get_errno() || $status < 200 || $status > 299) {
            $answer = $curl->get_errno() ? 'curl ' . $curl->get_errno() : $status;
            throw new \moodle_exception('errorpush', 'local_xueshi', '', $answer);
        }
        changelog::exclusively(function ($now) use ($state) {
            $now->pushed = max((int) $now->pushed, (int) $state->last);
        });
        return $status;
    }
}
