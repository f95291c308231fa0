-- A token that a token made says who made the first of them: with him it ends. Who that was is not always to be told
-- (names of tokens are not unique); such a token ends now, as do those that reach further than their maker.
WITH RECURSIVE root (id, maker) AS (
    SELECT id, made_by FROM tokens WHERE made_by NOT LIKE 'token %'
    UNION
    SELECT t.id, r.maker FROM root r JOIN tokens p ON p.id = r.id
    JOIN tokens t ON t.made_by = 'token ' || p.name AND t.created_at > p.created_at
)
UPDATE tokens t SET made_by = one.maker
FROM (SELECT id, min(maker) AS maker FROM root GROUP BY id HAVING count(*) = 1) one
WHERE one.id = t.id AND t.made_by LIKE 'token %';

UPDATE tokens SET revoked_at = now() WHERE made_by LIKE 'token %' AND revoked_at IS NULL;

UPDATE tokens t SET revoked_at = now() FROM users u
WHERE u.login = t.made_by AND t.revoked_at IS NULL AND (
    u.disabled_at IS NOT NULL OR u.role = 'viewer' AND t.role <> 'viewer' OR u.role = 'operator' AND t.role = 'admin');
