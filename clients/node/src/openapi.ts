// Made by scripts/types.mjs from the server's OpenAPI document. Do not edit.
export interface paths {
    "/_mock/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Status
         * @description Return the version, the settings that differ from their default, and how much is stored.
         */
        get: operations["status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Accounts
         * @description List the accounts: the masked key, the clock, and how much each account stores.
         */
        get: operations["list_accounts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/clock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Clock
         * @description Show the clock of an account, or of all accounts.
         */
        get: operations["show_clock"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/clock/freeze": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Freeze Clock
         * @description Stop the clock.
         */
        post: operations["freeze_clock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/clock/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume Clock
         * @description Let a frozen clock run on.
         */
        post: operations["resume_clock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/clock/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset Clock
         * @description Go back to the real time.
         */
        post: operations["reset_clock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/clock/set": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set Clock
         * @description Move the clock forward to an instant. The call answers once everything that fell due has happened.
         */
        post: operations["set_clock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/clock/advance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Advance Clock
         * @description Move the clock forward, for example by "31d". The call answers once everything that fell due has happened.
         */
        post: operations["advance_clock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/media": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Media
         * @description List media, the newest first.
         */
        get: operations["list_media"];
        put?: never;
        /**
         * Add Medium
         * @description Store the body, a picture or any other medium, as if it had been uploaded `age` ago.
         */
        post: operations["add_medium"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/media/{uuid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Medium
         * @description Show one medium.
         */
        get: operations["get_medium"];
        put?: never;
        post?: never;
        /**
         * Delete Medium
         * @description Delete one medium.
         */
        delete: operations["delete_medium"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/media/{uuid}/expire": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Expire Medium
         * @description Make one medium expire now, by its account's clock.
         */
        post: operations["expire_medium"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/forecast": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Forecast
         * @description Show when each medium expires, and what a purge would delete then, without deleting it.
         */
        get: operations["forecast"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/purge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Purge
         * @description Delete what has expired.
         */
        post: operations["purge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/journal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Journal
         * @description List entries, the newest first.
         */
        get: operations["list_journal"];
        put?: never;
        post?: never;
        /**
         * Clear Journal
         * @description Delete every entry.
         */
        delete: operations["clear_journal"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/journal/count": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count Journal
         * @description Count entries.
         */
        get: operations["count_journal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/journal/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Wait For Journal
         * @description Wait until there are `count` entries.
         */
        get: operations["wait_for_journal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/journal/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Entry
         * @description Show one entry.
         */
        get: operations["get_entry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Webhooks
         * @description List the calls of webhooks, the newest first: the journal's entries of the kind `webhook`.
         */
        get: operations["list_webhooks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/webhooks/{id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resend Webhook
         * @description Call a webhook again, with the body of the call that has this id in the journal.
         */
        post: operations["resend_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reset
         * @description Delete all media, the journal and fault plans and reset the clock, or one of these.
         */
        post: operations["reset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Snapshots
         * @description List the snapshots of an account.
         */
        get: operations["list_snapshots"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/snapshots/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Save Snapshot
         * @description Save the account's state under a name.
         */
        post: operations["save_snapshot"];
        /**
         * Delete Snapshot
         * @description Delete a snapshot.
         */
        delete: operations["delete_snapshot"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/snapshots/{name}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore Snapshot
         * @description Restore a saved state of the account.
         */
        post: operations["restore_snapshot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export
         * @description Download the account's whole state as one file.
         */
        get: operations["export"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/export/fixtures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Fixtures
         * @description Download the account's media as a zip of a folder for `--fixtures`: the files, and a manifest.
         */
        get: operations["export_fixtures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Load
         * @description Replace the account's state with that of an exported file.
         */
        post: operations["load"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/faults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Plans
         * @description List the plans, without a key those of every account: what was met, and what remains.
         */
        get: operations["list_plans"];
        put?: never;
        /**
         * Add Plan
         * @description Add a plan for the account, or for all accounts.
         */
        post: operations["add_plan"];
        /**
         * Delete Plans
         * @description Delete every plan of the account, or of all accounts.
         */
        delete: operations["delete_plans"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/faults/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Plan
         * @description Show one plan.
         */
        get: operations["get_plan"];
        put?: never;
        post?: never;
        /**
         * Delete Plan
         * @description Delete one plan.
         */
        delete: operations["delete_plan"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/answers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Rules
         * @description List the rules, without a key those of every account: what was given, and what remains.
         */
        get: operations["list_rules"];
        put?: never;
        /**
         * Add Rule
         * @description Add a rule for the account, or for all accounts.
         */
        post: operations["add_rule"];
        /**
         * Delete Rules
         * @description Delete every rule of the account, or of all accounts, and no other plan.
         */
        delete: operations["delete_rules"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/_mock/answers/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Rule
         * @description Show one rule.
         */
        get: operations["get_rule"];
        put?: never;
        post?: never;
        /**
         * Delete Rule
         * @description Delete one rule.
         */
        delete: operations["delete_rule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account: `label` is its key, masked; the numbers say how much it has of each. */
        Account: {
            id: number;
            label: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            now_at: string;
            media: number;
            journal: number;
            plans: number;
        };
        /** @description All accounts, the newest first. */
        Accounts: {
            accounts: components["schemas"]["Account"][];
        };
        /**
         * @description The task is answered as a rule says, with a picture, a text, fields or an error: see docs/answers.md.
         * @example {
         *       "kind": "answer",
         *       "picture": "orange"
         *     }
         */
        AnswerFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description A data URI or base64, the UUID of a stored medium, or a colour such as #ff8800.
             * @example orange
             */
            picture?: string | null;
            /** @description The text of a caption, a prompt or an answer. */
            text?: string | null;
            /** @description Fields to merge into each item of the answer; null removes one. */
            fields?: {
                [key: string]: unknown;
            };
            /** @description An error instead: `{code, parameter, message}`, or its code alone. */
            error?: components["schemas"]["PlannedError"] | string | null;
            /** @description Stages of an asynchronous task before it is answered so. */
            lifecycle?: components["schemas"]["Stage"][];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "answer";
        };
        /** @description What became of an uploaded file; `declared` is the media type that its data URI claims. */
        Audit: {
            declared: string | null;
            format: string;
            sent: components["schemas"]["SentFile"];
            stored: components["schemas"]["StoredFile"];
            frames: number | null;
            rule: string;
        };
        Body_advance_clock: {
            /** @description A duration such as 31d or 2h30m. */
            by: string;
        };
        Body_set_clock: {
            /** @description An ISO 8601 instant, or milliseconds since 1970. */
            at: string | number;
        };
        /** @description A clock: `offset` is how far it is ahead of the real one; `account` is null for that of all accounts. */
        Clock: {
            /** Format: date-time */
            now_at: string;
            frozen: boolean;
            /**
             * @example 31d
             * @example 2h30m
             */
            offset: string;
            account: number | null;
        };
        /**
         * @description The socket is closed after `after_frames` more frames, the reply included; 0 closes it instead of the reply.
         * @example {
         *       "code": 1011,
         *       "kind": "close"
         *     }
         */
        CloseFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "close";
            /**
             * @description Close code of the WebSocket.
             * @default 1011
             */
            code?: number;
            /**
             * @description How many more frames are sent first.
             * @default 0
             */
            after_frames?: number;
        };
        /** @description How many there are. */
        Count: {
            count: number;
        };
        /**
         * @description The connection ends, or is reset, once `after_bytes` of the answer were sent, or all of a shorter one.
         * @example {
         *       "after_bytes": 1024,
         *       "kind": "cut_answer"
         *     }
         */
        CutAnswerFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description How many bytes pass, such as 64KiB.
             * @default 1024
             * @example 64KiB
             * @example 65536
             */
            after_bytes?: string | number;
            /**
             * @description Whether the connection then ends or is reset.
             * @default end
             * @enum {string}
             */
            how?: "end" | "reset";
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "cut_answer";
        };
        /**
         * @description The connection ends, or is reset, once `after_bytes` of a stored file were sent, or all of a shorter one.
         * @example {
         *       "after_bytes": 1024,
         *       "kind": "cut_download"
         *     }
         */
        CutDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description How many bytes pass, such as 64KiB.
             * @default 1024
             * @example 64KiB
             * @example 65536
             */
            after_bytes?: string | number;
            /**
             * @description Whether the connection then ends or is reset.
             * @default end
             * @enum {string}
             */
            how?: "end" | "reset";
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "cut_download";
        };
        /**
         * @description A request or message of at least `after_bytes` is cut: it stalls, is reset, or is refused (`status`, or 1009).
         * @example {
         *       "after_bytes": 1024,
         *       "kind": "cut_upload"
         *     }
         */
        CutUploadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "cut_upload";
            /**
             * @description How many bytes pass, such as 64KiB.
             * @default 1024
             * @example 64KiB
             * @example 65536
             */
            after_bytes?: string | number;
            /**
             * @description Whether nothing more is read, the connection is reset, or the upload is refused.
             * @default reset
             * @enum {string}
             */
            how?: "stall" | "reset" | "refuse";
            /**
             * @description HTTP status of a refusal.
             * @default 413
             */
            status?: number;
        };
        /**
         * @description The answer to the authentication is delayed, by the real clock.
         * @example {
         *       "delay": "5s",
         *       "kind": "delay_authentication"
         *     }
         */
        DelayAuthenticationFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description How long the delay is, such as 500ms or 2s.
             * @default 5s
             */
            delay?: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "delay_authentication";
        };
        /**
         * @description The answer to a download is delayed, by the real clock.
         * @example {
         *       "delay": "2s",
         *       "kind": "delay_download"
         *     }
         */
        DelayDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description How long the delay is, such as 500ms or 2s.
             * @default 2s
             */
            delay?: string;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "delay_download";
        };
        /**
         * @description The webhook is called late, by the account's clock.
         * @example {
         *       "delay": "10s",
         *       "kind": "delay_webhook"
         *     }
         */
        DelayWebhookFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "delay_webhook";
            /**
             * @description How long the delay is, such as 500ms or 2s.
             * @default 10s
             */
            delay?: string;
        };
        /** @description How many were removed. */
        Deleted: {
            deleted: number;
        };
        /**
         * @description The task is done but its reply is lost, and so is the connection, unless `hang_up` is false.
         * @example {
         *       "kind": "drop"
         *     }
         */
        DropFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "drop";
            /**
             * @description Whether the connection is reset, too.
             * @default true
             */
            hang_up?: boolean;
        };
        /**
         * @description The reply is sent more than once.
         * @example {
         *       "copies": 2,
         *       "kind": "duplicate"
         *     }
         */
        DuplicateFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "duplicate";
            /**
             * @description How many times it is sent.
             * @default 2
             */
            copies?: number;
        };
        /**
         * @description The webhook is called more than once with the same body.
         * @example {
         *       "copies": 2,
         *       "kind": "duplicate_webhook"
         *     }
         */
        DuplicateWebhookFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "duplicate_webhook";
            /**
             * @description How many times it is called.
             * @default 2
             */
            copies?: number;
        };
        /**
         * @description The connection is closed without a byte of an answer.
         * @example {
         *       "kind": "empty"
         *     }
         */
        EmptyFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Whether the task is done first.
             * @default false
             */
            after_work?: boolean;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "empty";
        };
        /** @description A page of the journal; `next_before` is the `before` of the next page. */
        Entries: {
            entries: components["schemas"]["Entry"][];
            next_before: number | null;
        };
        /**
         * @description One task or request in the journal. In `task` and `answer` each long string is `{"head", "chars", "sha256"}`.
         *
         *     `kind` is `task`, `lookup` (getResponse, getTaskDetails), `request` (one that ran no task, which `task` describes;
         *     `account` is null if it opened none) or `webhook` (a call, which `task` describes; `answer` is its body). `status`
         *     is that of the HTTP response, or the code with which a socket was closed instead of the answer; 0 says that nothing
         *     was sent or answered; null stands for a frame. `sent_body` is what was sent if a fault changed or replaced the
         *     answer. `warnings` name what the task was accepted with, but the real service might not accept.
         */
        Entry: {
            id: number;
            account: number | null;
            /** Format: date-time */
            at: string;
            transport: string;
            client: string | null;
            task_type: string | null;
            task_uuid: string | null;
            /** @enum {string} */
            outcome: "success" | "error" | "fault" | "crash";
            task: {
                [key: string]: unknown;
            };
            answer: {
                [key: string]: unknown;
            }[];
            duration_ms: number;
            faults: components["schemas"]["FaultMet"][];
            audit: components["schemas"]["Audit"] | null;
            warnings: string[];
            explanation: components["schemas"]["Explanation"] | null;
            /**
             * @default task
             * @enum {string}
             */
            kind?: "task" | "lookup" | "request" | "webhook";
            status?: number | null;
            sent_body?: string | {
                [key: string]: unknown;
            } | null;
        };
        /**
         * @description The task fails with an error from the catalogue; other tasks of the request are not affected.
         * @example {
         *       "code": "invalidApiKey",
         *       "kind": "error"
         *     }
         */
        ErrorFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Code of the error.
             * @example invalidApiKey
             * @example missingApiKey
             * @example invalidJson
             * @example invalidRequest
             * @example invalidTaskType
             * @example invalidTaskUUID
             * @example conflictTaskUUID
             * @example missingImage
             * @example invalidImage
             * @example missingParameter
             * @example invalidParameter
             * @example invalidInputImage
             * @example invalidInputImagesCount
             * @example rateLimitExceeded
             * @example storageQuotaExceeded
             * @example insufficientCredits
             * @example accountSuspended
             * @example insufficientPermissions
             * @example contentPolicyViolation
             * @example mediaExpired
             * @example timeoutProvider
             * @example internalServerError
             * @example serviceUnavailable
             * @example unsupportedTaskType
             * @example failedToTransferImage
             * @example taskNotFound
             * @example mediaNotFound
             * @example requestTimeout
             * @example requestTooLarge
             * @example notFound
             * @example methodNotAllowed
             * @example originNotAllowed
             */
            code: string;
            /** @description Parameter that the error names. */
            parameter?: string | null;
            /** @description Message of the error, instead of its usual one. */
            message?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "error";
        };
        /**
         * @description The webhook is called with an error from the catalogue, although the task succeeded.
         * @example {
         *       "code": "invalidApiKey",
         *       "kind": "error_webhook"
         *     }
         */
        ErrorWebhookFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Code of the error.
             * @default internalServerError
             * @example invalidApiKey
             * @example missingApiKey
             * @example invalidJson
             * @example invalidRequest
             * @example invalidTaskType
             * @example invalidTaskUUID
             * @example conflictTaskUUID
             * @example missingImage
             * @example invalidImage
             * @example missingParameter
             * @example invalidParameter
             * @example invalidInputImage
             * @example invalidInputImagesCount
             * @example rateLimitExceeded
             * @example storageQuotaExceeded
             * @example insufficientCredits
             * @example accountSuspended
             * @example insufficientPermissions
             * @example contentPolicyViolation
             * @example mediaExpired
             * @example timeoutProvider
             * @example internalServerError
             * @example serviceUnavailable
             * @example unsupportedTaskType
             * @example failedToTransferImage
             * @example taskNotFound
             * @example mediaNotFound
             * @example requestTimeout
             * @example requestTooLarge
             * @example notFound
             * @example methodNotAllowed
             * @example originNotAllowed
             */
            code?: string;
            /** @description Parameter that the error names. */
            parameter?: string | null;
            /** @description Message of the error, instead of its usual one. */
            message?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "error_webhook";
        };
        /** @description When a medium expires. */
        Expiring: {
            uuid: string;
            /** Format: date-time */
            last_used_at: string;
            /** Format: date-time */
            expires_at: string;
            /**
             * @example 31d
             * @example 2h30m
             */
            time_left: string;
            would_be_purged: boolean;
        };
        /** @description Why a task was refused: the rule, the sentence of the documentation, and what would be valid. */
        Explanation: {
            rule: string;
            sentence: string;
            value_head: string | null;
            nearest_valid: string | null;
        };
        /** @description A fault that a task met; `seed` and `draw` are what chance was drawn from. */
        FaultMet: {
            plan: string;
            kind: string;
            seed?: number | null;
            draw?: number | null;
        };
        /** @description One fault of a plan, with the fields of its kind: how many events fitted it, and how many met it. */
        FaultState: {
            kind: string;
            times: number | null;
            task_type: string | null;
            task_uuid: string | null;
            nth: number | null;
            transport: string | null;
            probability: number;
            seed: number | null;
            seen: number;
            met: number;
            remaining: number | null;
        } & {
            [key: string]: unknown;
        };
        /** @description When each medium expires, the next first, and what a purge would remove at an instant. */
        Forecast: {
            /** Format: date-time */
            at: string;
            media: components["schemas"]["Expiring"][];
            would_purge: components["schemas"]["WouldPurge"];
        };
        /**
         * @description Some bytes of the answer are changed.
         * @example {
         *       "kind": "garble",
         *       "share": 0.1
         *     }
         */
        GarbleAnswerFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Share of the bytes that are changed.
             * @default 0.1
             */
            share?: number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "garble";
        };
        /**
         * @description Some bytes of a stored file are changed on their way.
         * @example {
         *       "kind": "garble_download",
         *       "share": 0.1
         *     }
         */
        GarbleDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Share of the bytes that are changed.
             * @default 0.1
             */
            share?: number;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "garble_download";
        };
        /** @description One answer of a rule, with the fields of its kind, and how often it was given. */
        GivenState: {
            picture: string | null;
            text: string | null;
            fields: {
                [key: string]: unknown;
            };
            error: {
                [key: string]: unknown;
            } | null;
            /** @default [] */
            lifecycle?: {
                [key: string]: unknown;
            }[];
            times: number | null;
            used: number;
            remaining: number | null;
        } & {
            [key: string]: unknown;
        };
        /**
         * @description The whole request gets this status and body, either instead of the work or, with `after_work`, after it.
         * @example {
         *       "kind": "http",
         *       "status": 503
         *     }
         */
        HttpFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Whether the task is done first.
             * @default false
             */
            after_work?: boolean;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "http";
            /**
             * @description HTTP status of the answer.
             * @default 503
             */
            status?: number;
            /**
             * @description Body of the answer.
             * @default
             */
            body?: string;
            /**
             * @description The Content-Type that is sent.
             * @default text/html
             */
            content_type?: string;
            /** @description More headers of the answer, such as `{"Retry-After": "1"}`. */
            headers?: {
                [key: string]: string;
            };
        };
        /**
         * @description What the task stored appears only after some time on the account's clock.
         * @example {
         *       "by": "2s",
         *       "kind": "late"
         *     }
         */
        LateFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "late";
            /**
             * @description How long it is missing, such as 500ms or 2s.
             * @default 2s
             */
            by?: string;
        };
        /**
         * @description The answer is delayed, by the real clock.
         * @example {
         *       "delay": "1s",
         *       "kind": "latency"
         *     }
         */
        LatencyFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description The delay if fixed, its median if lognormal.
             * @default 1s
             */
            delay?: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "latency";
            /**
             * @description How delays are drawn.
             * @default fixed
             * @enum {string}
             */
            distribution?: "fixed" | "uniform" | "lognormal";
            /**
             * @description The shortest delay if uniform.
             * @default 0s
             */
            least?: string;
            /**
             * @description The longest delay if uniform.
             * @default 1s
             */
            most?: string;
            /**
             * @description Spread if lognormal: the standard deviation of the delay's logarithm.
             * @default 0.5
             */
            sigma?: number;
        };
        /** @description How much an archive held. */
        Loaded: {
            media: number;
            journal: number;
            plans: number;
        };
        /**
         * @description A download finds nothing, as if the file had expired.
         * @example {
         *       "kind": "lose_download"
         *     }
         */
        LoseDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "lose_download";
        };
        /**
         * @description The webhook is never called.
         * @example {
         *       "kind": "lose_webhook"
         *     }
         */
        LoseWebhookFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "lose_webhook";
        };
        /** @description A page of media; `next_before` is the `before` of the next page, `total` counts those of all pages. */
        Media: {
            media: components["schemas"]["Medium"][];
            next_before: number | null;
            total: number;
        };
        /** @description A stored medium; `time_left` is on its account's clock. */
        Medium: {
            size_bytes: number;
            width_px: number | null;
            height_px: number | null;
            id: number;
            uuid: string;
            account: number;
            task_type: string | null;
            url: string;
            kind: string;
            format: string;
            frames: number | null;
            sent: components["schemas"]["SentFile"];
            downsized: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            last_used_at: string;
            /** Format: date-time */
            expires_at: string;
            /**
             * @example 31d
             * @example 2h30m
             */
            time_left: string;
        };
        /**
         * @description A stored file is served with another Content-Type.
         * @example {
         *       "kind": "mislabel_download"
         *     }
         */
        MislabelDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "mislabel_download";
            /**
             * @description The Content-Type that is sent.
             * @default text/html
             */
            content_type?: string;
        };
        /** @description A clock that was moved, and what fell due on the way. */
        Moved: {
            clock: components["schemas"]["Clock"];
            purged: components["schemas"]["Purged"];
            delivered: number;
        };
        /**
         * @description A ping gets no pong.
         * @example {
         *       "kind": "no_pong"
         *     }
         */
        NoPongFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "no_pong";
        };
        /** @description Faults in the order in which they happen. Each event meets at most one fault of a plan. */
        Plan: {
            /** @description A random name if left out. */
            name?: string | null;
            faults: (components["schemas"]["ErrorFault"] | components["schemas"]["LatencyFault"] | components["schemas"]["HttpFault"] | components["schemas"]["RateLimitFault"] | components["schemas"]["TruncateFault"] | components["schemas"]["GarbleAnswerFault"] | components["schemas"]["DuplicateFault"] | components["schemas"]["ReorderFault"] | components["schemas"]["SplitFault"] | components["schemas"]["ResetFault"] | components["schemas"]["EmptyFault"] | components["schemas"]["RefuseUpgradeFault"] | components["schemas"]["DelayAuthenticationFault"] | components["schemas"]["RefuseAuthenticationFault"] | components["schemas"]["NoPongFault"] | components["schemas"]["SilentFault"] | components["schemas"]["CloseFault"] | components["schemas"]["DropFault"] | components["schemas"]["VanishFault"] | components["schemas"]["LateFault"] | components["schemas"]["SourceFault"] | components["schemas"]["CutUploadFault"] | components["schemas"]["SlowUploadFault"] | components["schemas"]["CutAnswerFault"] | components["schemas"]["SlowAnswerFault"] | components["schemas"]["CutDownloadFault"] | components["schemas"]["SlowDownloadFault"] | components["schemas"]["DelayDownloadFault"] | components["schemas"]["RefuseDownloadFault"] | components["schemas"]["LoseDownloadFault"] | components["schemas"]["MislabelDownloadFault"] | components["schemas"]["GarbleDownloadFault"] | components["schemas"]["LoseWebhookFault"] | components["schemas"]["DuplicateWebhookFault"] | components["schemas"]["DelayWebhookFault"] | components["schemas"]["ReorderWebhookFault"] | components["schemas"]["ErrorWebhookFault"] | components["schemas"]["AnswerFault"])[];
            /**
             * @description Whether a pytest test fails if the plan was not fully met.
             * @default true
             */
            must_be_met?: boolean;
            /**
             * @description Only for clients whose key ends in +<name>, or that send X-Runware-Mock-Plan: <name>.
             * @default false
             */
            by_name_only?: boolean;
        };
        /**
         * @description A plan and how far it has come; `account` is null for a plan of all accounts.
         *
         *     If no task has fitted a plan that must be met, `nearest` is the task that comes nearest, and what it lacks.
         */
        PlanState: {
            name: string;
            account: number | null;
            must_be_met: boolean;
            by_name_only: boolean;
            is_met: boolean;
            warnings: string[];
            faults: components["schemas"]["FaultState"][];
            nearest?: string | null;
        };
        /** @description An error from the catalogue. */
        PlannedError: {
            /**
             * @description Code of the error.
             * @example invalidApiKey
             * @example missingApiKey
             * @example invalidJson
             * @example invalidRequest
             * @example invalidTaskType
             * @example invalidTaskUUID
             * @example conflictTaskUUID
             * @example missingImage
             * @example invalidImage
             * @example missingParameter
             * @example invalidParameter
             * @example invalidInputImage
             * @example invalidInputImagesCount
             * @example rateLimitExceeded
             * @example storageQuotaExceeded
             * @example insufficientCredits
             * @example accountSuspended
             * @example insufficientPermissions
             * @example contentPolicyViolation
             * @example mediaExpired
             * @example timeoutProvider
             * @example internalServerError
             * @example serviceUnavailable
             * @example unsupportedTaskType
             * @example failedToTransferImage
             * @example taskNotFound
             * @example mediaNotFound
             * @example requestTimeout
             * @example requestTooLarge
             * @example notFound
             * @example methodNotAllowed
             * @example originNotAllowed
             */
            code: string;
            /** @description Parameter that the error names. */
            parameter?: string | null;
            /** @description Message of the error, instead of its usual one. */
            message?: string | null;
        };
        /** @description Fault plans, in the order in which they were made. */
        Plans: {
            plans: components["schemas"]["PlanState"][];
        };
        /** @description What a purge removed: media, files that none of them shared any more, and the first thousand UUIDs. */
        Purged: {
            media: number;
            contents: number;
            uuids: string[];
        };
        /** @description A webhook that will be called again, and when by its account's clock. */
        Queued: {
            url: string;
            /** Format: date-time */
            due_at: string;
        };
        /**
         * @description Each task takes a token from a bucket of `burst`, refilled at `rate_per_s` by the real clock, or is refused.
         * @example {
         *       "kind": "rate_limit",
         *       "rate_per_s": 1
         *     }
         */
        RateLimitFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /** @description How many times it refuses; null for every time, which is the default. */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "rate_limit";
            /**
             * @description Tokens per second.
             * @example 1
             */
            rate_per_s: number;
            /**
             * @description How many tokens the bucket holds; it is full at first.
             * @default 1
             */
            burst?: number;
        };
        /**
         * @description The API key is refused.
         * @example {
         *       "kind": "refuse_authentication"
         *     }
         */
        RefuseAuthenticationFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "refuse_authentication";
        };
        /**
         * @description A download is answered with a status and no file.
         * @example {
         *       "kind": "refuse_download",
         *       "status": 503
         *     }
         */
        RefuseDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description HTTP status of the answer.
             * @default 503
             */
            status?: number;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "refuse_download";
        };
        /**
         * @description The WebSocket upgrade is refused.
         * @example {
         *       "kind": "refuse_upgrade",
         *       "status": 503
         *     }
         */
        RefuseUpgradeFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description HTTP status of the answer.
             * @default 503
             */
            status?: number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "refuse_upgrade";
        };
        /**
         * @description The reply is sent after the next one; over REST, after all the others.
         * @example {
         *       "kind": "reorder"
         *     }
         */
        ReorderFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "reorder";
        };
        /**
         * @description A task's results are sent in reverse order, each `gap` after the one before: later tasks overtake them.
         * @example {
         *       "gap": "1s",
         *       "kind": "reorder_webhook"
         *     }
         */
        ReorderWebhookFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "reorder_webhook";
            /**
             * @description Time between two results.
             * @default 1s
             */
            gap?: string;
        };
        /** @description How much was forgotten of each part that `scope` names. */
        Reset: {
            scope: string;
            /** @default 0 */
            media?: number;
            /** @default 0 */
            journal?: number;
            /** @default 0 */
            faults?: number;
            /** @default 0 */
            clock?: number;
        };
        /**
         * @description The connection is reset.
         * @example {
         *       "kind": "reset"
         *     }
         */
        ResetFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description Whether the task is done first.
             * @default false
             */
            after_work?: boolean;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "reset";
        };
        /** @description What the matching tasks are answered with. Of several rules that match a task, the first made answers it. */
        Rule: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /** @description A random name if left out. */
            name?: string | null;
            /** @description An answer, or a list of answers that are given in turn. */
            give: components["schemas"]["Step"] | components["schemas"]["Step"][];
            /**
             * @description Whether a pytest test fails if an answer was not given as often as it says.
             * @default false
             */
            must_be_used?: boolean;
        };
        /**
         * @description A rule and how often it was used; `account` is null for a rule of all accounts, `seen` counts what fitted it.
         *
         *     If no task has fitted a rule that must be used, `nearest` is the task that comes nearest, and what it lacks.
         */
        RuleState: {
            name: string;
            account: number | null;
            task_type: string | null;
            task_uuid: string | null;
            model: unknown;
            prompt: unknown;
            where: {
                [key: string]: unknown;
            };
            nth: number | null;
            transport: string | null;
            must_be_used: boolean;
            is_used: boolean;
            seen: number;
            give: components["schemas"]["GivenState"][];
            warnings: string[];
            nearest?: string | null;
        };
        /** @description Rules, in the order in which they were made, which is the order in which they are tried. */
        Rules: {
            rules: components["schemas"]["RuleState"][];
        };
        /** @description The same file as it was sent, before its EXIF orientation was applied. */
        SentFile: {
            size_bytes: number;
            width_px: number | null;
            height_px: number | null;
            sha256: string;
            orientation: number | null;
        };
        /**
         * @description The server stops reading and sending but does not close the socket: a half-open connection.
         * @example {
         *       "kind": "silent"
         *     }
         */
        SilentFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "silent";
        };
        /**
         * @description The answer is sent slowly.
         * @example {
         *       "bytes_per_s": 1024,
         *       "kind": "slow_answer"
         *     }
         */
        SlowAnswerFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description How many bytes pass in a second, such as 64KiB.
             * @default 1024
             * @example 64KiB
             * @example 65536
             */
            bytes_per_s?: string | number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "slow_answer";
        };
        /**
         * @description A stored file is sent slowly.
         * @example {
         *       "bytes_per_s": 1024,
         *       "kind": "slow_download"
         *     }
         */
        SlowDownloadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /** @description Only the medium with this UUID. */
            uuid?: string | null;
            /**
             * @description How many bytes pass in a second, such as 64KiB.
             * @default 1024
             * @example 64KiB
             * @example 65536
             */
            bytes_per_s?: string | number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "slow_download";
        };
        /**
         * @description The body of a request, or a WebSocket message, is read slowly.
         * @example {
         *       "bytes_per_s": 1024,
         *       "kind": "slow_upload"
         *     }
         */
        SlowUploadFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description How many bytes pass in a second, such as 64KiB.
             * @default 1024
             * @example 64KiB
             * @example 65536
             */
            bytes_per_s?: string | number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "slow_upload";
        };
        /** @description A named state of an account. */
        Snapshot: {
            name: string;
            /** Format: date-time */
            created_at: string;
            media: number;
        };
        /** @description The snapshots of an account, the newest first. */
        Snapshots: {
            snapshots: components["schemas"]["Snapshot"][];
        };
        /**
         * @description The task's URLs cannot be fetched.
         * @example {
         *       "kind": "source",
         *       "status": 404
         *     }
         */
        SourceFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "source";
            /**
             * @description Why: no connection, no answer in time, an HTTP status, or a file that is no picture.
             * @default unreachable
             * @enum {string}
             */
            reason?: "unreachable" | "timeout" | "status" | "no_picture";
            /**
             * @description The HTTP status, with `reason=status`.
             * @default 404
             */
            status?: number;
        };
        /**
         * @description Each item of the reply is sent in its own frame.
         * @example {
         *       "kind": "split"
         *     }
         */
        SplitFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "split";
        };
        /** @description A part of the life of a task that is not finished: it lasts for some polls, or for a time. */
        Stage: {
            /** @description How many times getResponse is answered with it. */
            polls?: number | null;
            /** @description How long it lasts on the account's clock. */
            lasts?: string | null;
            /** @description In percent; by default it grows from poll to poll. */
            progress?: number | null;
            /**
             * @description How many results are there already.
             * @default 0
             */
            results?: number;
        };
        /** @description What the server is and holds; `settings` are those that differ from their default. */
        Status: {
            version: string;
            url: string;
            settings: {
                [key: string]: string;
            };
            accounts: number;
            media: number;
            journal: number;
        };
        /** @description One answer of a rule, and how often it is given. */
        Step: {
            /**
             * @description A data URI or base64, the UUID of a stored medium, or a colour such as #ff8800.
             * @example orange
             */
            picture?: string | null;
            /** @description The text of a caption, a prompt or an answer. */
            text?: string | null;
            /** @description Fields to merge into each item of the answer; null removes one. */
            fields?: {
                [key: string]: unknown;
            };
            /** @description An error instead: `{code, parameter, message}`, or its code alone. */
            error?: components["schemas"]["PlannedError"] | string | null;
            /** @description Stages of an asynchronous task before it is answered so. */
            lifecycle?: components["schemas"]["Stage"][];
            /** @description How often; null for every time. Once by default, the last one every time. */
            times?: number | null;
        };
        /** @description A file as it is stored; video, audio and 3D have no size in pixels. */
        StoredFile: {
            size_bytes: number;
            width_px: number | null;
            height_px: number | null;
        };
        /** @description What to delete of an account, or of all accounts: a misspelt field must not mean everything. */
        ToReset: {
            /**
             * @default all
             * @enum {string}
             */
            scope?: "all" | "media" | "journal" | "faults" | "clock";
        };
        /**
         * @description The answer breaks off partway.
         * @example {
         *       "keep": 0.5,
         *       "kind": "truncate"
         *     }
         */
        TruncateFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "truncate";
            /**
             * @description Share of the answer that is sent.
             * @default 0.5
             */
            keep?: number;
        };
        /**
         * @description What the task stored vanishes, at once or after some time on the account's clock.
         * @example {
         *       "after": "0s",
         *       "kind": "vanish"
         *     }
         */
        VanishFault: {
            /** @description Only tasks of this type. */
            task_type?: string | null;
            /** @description Only the task with this UUID. */
            task_uuid?: string | null;
            /** @description Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or `{"exact": ...}`. */
            model?: string | Record<string, unknown> | null;
            /** @description Only tasks with this prompt, which is written in the same ways. */
            prompt?: string | Record<string, unknown> | null;
            /** @description Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`. */
            where?: {
                [key: string]: unknown;
            };
            /** @description Only the n-th match, counted from 1. */
            nth?: number | null;
            /** @description Only over REST (`rest`), or only over WebSocket (`ws`). */
            transport?: ("rest" | "ws") | null;
            /**
             * @description How many times it happens; null for every time.
             * @default 1
             */
            times?: number | null;
            /**
             * @description Chance that it happens to a match.
             * @default 1
             */
            probability?: number;
            /** @description Seed for random choices; a random one if left out. */
            seed?: number | null;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            kind: "vanish";
            /**
             * @description How long it exists before it is gone, such as 500ms or 2s.
             * @default 0s
             */
            after?: string;
        };
        /** @description How many entries there were in the end, and the newest of them. */
        Waited: {
            count: number;
            entries: components["schemas"]["Entry"][];
        };
        /** @description How much a purge would remove. */
        WouldPurge: {
            media: number;
            bytes: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
        };
    };
    list_accounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accounts"];
                };
            };
        };
    };
    show_clock: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Clock"];
                };
            };
        };
    };
    freeze_clock: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Clock"];
                };
            };
        };
    };
    resume_clock: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Clock"];
                };
            };
        };
    };
    reset_clock: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Clock"];
                };
            };
        };
    };
    set_clock: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Body_set_clock"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Moved"];
                };
            };
        };
    };
    advance_clock: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Body_advance_clock"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Moved"];
                };
            };
        };
    };
    list_media: {
        parameters: {
            query?: {
                limit?: number;
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
                format?: string | null;
                task_type?: string | null;
                text?: string | null;
                state?: "alive" | "expired" | "all";
                before?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Media"];
                };
            };
        };
    };
    add_medium: {
        parameters: {
            query?: {
                uuid?: string | null;
                age?: string | null;
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Medium"];
                };
            };
        };
    };
    get_medium: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                uuid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Medium"];
                };
            };
        };
    };
    delete_medium: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                uuid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    expire_medium: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                uuid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Medium"];
                };
            };
        };
    };
    forecast: {
        parameters: {
            query?: {
                at?: string | number | null;
                in?: string | null;
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Forecast"];
                };
            };
        };
    };
    purge: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Purged"];
                };
            };
        };
    };
    list_journal: {
        parameters: {
            query?: {
                limit?: number;
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
                task_type?: string | null;
                task_uuid?: string | null;
                outcome?: ("success" | "error" | "fault" | "crash") | null;
                transport?: ("rest" | "ws" | "hook") | null;
                /** @description Code of the error. */
                code?: string | null;
                /** @description SHA-256 of the uploaded file, in hex. */
                sha256?: string | null;
                /** @description Text in the task or its answer. */
                text?: string | null;
                /** @description Only entries after this id. */
                since?: number | null;
                /** @description Only entries before this id. */
                before?: number | null;
                /** @description HTTP status or close code; 0 where nothing was sent. */
                status?: number | null;
                /** @description task; lookup: getResponse and getTaskDetails; request: refused before it ran a task; webhook: a call of a webhook; or all. */
                kind?: "task" | "lookup" | "request" | "webhook" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entries"];
                };
            };
        };
    };
    clear_journal: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    count_journal: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
                task_type?: string | null;
                task_uuid?: string | null;
                outcome?: ("success" | "error" | "fault" | "crash") | null;
                transport?: ("rest" | "ws" | "hook") | null;
                /** @description Code of the error. */
                code?: string | null;
                /** @description SHA-256 of the uploaded file, in hex. */
                sha256?: string | null;
                /** @description Text in the task or its answer. */
                text?: string | null;
                /** @description Only entries after this id. */
                since?: number | null;
                /** @description Only entries before this id. */
                before?: number | null;
                /** @description HTTP status or close code; 0 where nothing was sent. */
                status?: number | null;
                /** @description task; lookup: getResponse and getTaskDetails; request: refused before it ran a task; webhook: a call of a webhook; or all. */
                kind?: "task" | "lookup" | "request" | "webhook" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Count"];
                };
            };
        };
    };
    wait_for_journal: {
        parameters: {
            query?: {
                count?: number;
                /** @description How long to wait, 5s by default. */
                timeout?: string | null;
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
                task_type?: string | null;
                task_uuid?: string | null;
                outcome?: ("success" | "error" | "fault" | "crash") | null;
                transport?: ("rest" | "ws" | "hook") | null;
                /** @description Code of the error. */
                code?: string | null;
                /** @description SHA-256 of the uploaded file, in hex. */
                sha256?: string | null;
                /** @description Text in the task or its answer. */
                text?: string | null;
                /** @description Only entries after this id. */
                since?: number | null;
                /** @description Only entries before this id. */
                before?: number | null;
                /** @description HTTP status or close code; 0 where nothing was sent. */
                status?: number | null;
                /** @description task; lookup: getResponse and getTaskDetails; request: refused before it ran a task; webhook: a call of a webhook; or all. */
                kind?: "task" | "lookup" | "request" | "webhook" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Waited"];
                };
            };
        };
    };
    get_entry: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entry"];
                };
            };
        };
    };
    list_webhooks: {
        parameters: {
            query?: {
                limit?: number;
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
                task_type?: string | null;
                task_uuid?: string | null;
                outcome?: ("success" | "error" | "fault" | "crash") | null;
                transport?: ("rest" | "ws" | "hook") | null;
                /** @description Code of the error. */
                code?: string | null;
                /** @description SHA-256 of the uploaded file, in hex. */
                sha256?: string | null;
                /** @description Text in the task or its answer. */
                text?: string | null;
                /** @description Only entries after this id. */
                since?: number | null;
                /** @description Only entries before this id. */
                before?: number | null;
                /** @description HTTP status or close code; 0 where nothing was sent. */
                status?: number | null;
                /** @description task; lookup: getResponse and getTaskDetails; request: refused before it ran a task; webhook: a call of a webhook; or all. */
                kind?: "task" | "lookup" | "request" | "webhook" | "all";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Entries"];
                };
            };
        };
    };
    resend_webhook: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Queued"];
                };
            };
        };
    };
    reset: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ToReset"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reset"];
                };
            };
        };
    };
    list_snapshots: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Snapshots"];
                };
            };
        };
    };
    save_snapshot: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Snapshot"];
                };
            };
        };
    };
    delete_snapshot: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    restore_snapshot: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Snapshot"];
                };
            };
        };
    };
    export: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
        };
    };
    export_fixtures: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
        };
    };
    load: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Loaded"];
                };
            };
        };
    };
    list_plans: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plans"];
                };
            };
        };
    };
    add_plan: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Plan"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanState"];
                };
            };
        };
    };
    delete_plans: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    get_plan: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlanState"];
                };
            };
        };
    };
    delete_plan: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    list_rules: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rules"];
                };
            };
        };
    };
    add_rule: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Rule"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleState"];
                };
            };
        };
    };
    delete_rules: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    get_rule: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleState"];
                };
            };
        };
    };
    delete_rule: {
        parameters: {
            query?: {
                /** @description Id of the account, instead of its API key. */
                account?: number | null;
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
}
