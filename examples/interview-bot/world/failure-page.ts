/** What an old system shows when it breaks: everything a caller must never pass on to a person. */
export const failurePage = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">
<html><head><title>500 Internal Server Error</title></head><body bgcolor=#ffffff>
<h1>java.lang.NullPointerException</h1><pre>
java.lang.NullPointerException: row was null (table HR_PERSON, user hr_app)
    at com.legacy.hr.PersonDao.afterSave(PersonDao.java:217)
    at com.legacy.hr.PersonServlet.doPost(PersonServlet.java:88)
    at org.apache.catalina.core.StandardWrapperValve.invoke(StandardWrapperValve.java:214)
Caused by: java.sql.SQLException: ORA-01403: no data found
    at oracle.jdbc.driver.T4CTTIoer.processError(T4CTTIoer.java:445)
    url=jdbc:oracle:thin:hr_app/fake-demo-password@10.2.0.14:1521/HRPROD
</pre><hr><address>HR-Core/2.3.1 at app07.hr.internal Port 8080</address>
<script>alert("unclosed
`
