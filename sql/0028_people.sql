-- Who signed in last, and whom nobody has seen for long.
CREATE INDEX person_last_signin ON person (last_signin_at);
