"""Who answers for what: bureau, departments, bases, employers, and the people who act for them."""
