-- An operator asks who signed in last, and a sweep asks whom nobody has seen for long.
CREATE INDEX person_last_signin ON person (last_signin_at);
