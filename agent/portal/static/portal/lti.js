// Registration is done: the LMS closes the frame that it opened for it (LTI dynamic registration 1.0, 3.7). Nothing secret is said.
(window.opener || window.parent).postMessage({ subject: "org.imsglobal.lti.close" }, "*");
